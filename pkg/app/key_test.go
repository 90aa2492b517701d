package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
)

// The first start makes a key that only its owner can read. A database that lost its key gets no new
// one, and PostgreSQL, which several processes share, gets none by itself.
func TestTheFirstKey(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "heed.db")
	s := config.Server{Database: "sqlite://" + db}
	openedWith := func() error {
		st, err := app.OpenStore(t.Context(), s)
		if err != nil {
			return err
		}
		return st.Close()
	}
	for range 2 { // the second start uses the same
		check(t, openedWith())
	}
	info, err := os.Stat(db + ".key")
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %s", info.Mode())
	}
	check(t, os.Rename(db+".key", db+".elsewhere"))
	if err := openedWith(); err == nil || !strings.Contains(err.Error(), "put the file back") {
		t.Errorf("without its key: %v", err)
	}
	if _, err := os.Stat(db + ".key"); err == nil {
		t.Error("a new key was made for an old database")
	}
	s.Database = "postgres://heed@localhost/heed"
	if err := openedWith(); err == nil || !strings.Contains(err.Error(), "HEED_DATA_KEY") {
		t.Errorf("PostgreSQL without a key: %v", err)
	}
}

// While the webhook secret is rotated GitHub may still sign with the one before. One that is neither
// opens nothing.
func TestThePreviousSecret(t *testing.T) {
	t.Parallel()
	w := newDay(t)
	check(t, w.powerOff())
	s := w.settings()
	s.WebhookSecret, s.PreviousWebhookSecret = "the next one", webhookSecret
	a, err := app.New(t.Context(), s, app.Options{Transport: w.sim.Client().Transport, Now: func() time.Time { return w.now }}, w.log)
	check(t, err)
	w.app = a
	for secret, want := range map[string]int{"the next one": http.StatusAccepted, webhookSecret: http.StatusAccepted, "another": http.StatusUnauthorized} {
		w.sim.SetWebhookSecret(secret)
		_, err := w.sim.OpenIssue("rea", "acme/web", "The menu is cut off", "On my phone.")
		check(t, err)
		for _, d := range w.sim.Pending() {
			got := w.knock(d.Header, d.Body)
			if w.sim.RecordDelivery(d.ID, got); got != want {
				t.Errorf("signed with %q: %d, want %d", secret, got, want)
			}
		}
	}
	check(t, w.powerOn()) // as newDay expects it
}
