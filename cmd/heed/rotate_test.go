package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/store"
)

// TestRotation puts a new data key in the place of the old one while the real binary runs: it takes it
// up by itself, and in the end nothing is encrypted with the old one.
func TestRotation(t *testing.T) {
	t.Parallel()
	s := newSlow(t)
	close(s.answer) // this GitHub is quick
	s.database = "" // the one in the directory, with its key beside it
	keys := filepath.Join(s.dir, "heed.db.key")
	report := func(up server, title string) {
		t.Helper()
		var err error
		s.ghsa, err = s.sim.Report("rea", "acme/web", title, "A deadly header.")
		must(t, err)
		must(t, s.sim.Send(t.Context(), http.DefaultClient, up.url+"/api/github/hook"))
		waitFor(t, func() bool {
			a, _ := s.sim.AdvisoryOf("acme/web", s.ghsa)
			return len(a.Comments) == 1 && len(a.Teams) == 1
		})
	}
	up := s.serve(t)
	report(up, "Overflow")
	before, err := os.ReadFile(keys)
	must(t, err)
	rotate := exec.CommandContext(t.Context(), s.binary, "keys", "rotate") //nolint:gosec // a path of this test
	rotate.Dir = s.dir
	if out, err := rotate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report(up, "Underflow")
	up.stop(t)

	after, err := os.ReadFile(keys)
	must(t, err)
	if len(after) != len(before) || string(after) == string(before) {
		t.Error("the key file does not hold one new key")
	}
	st, err := app.OpenStore(t.Context(), config.Server{Database: "sqlite://" + filepath.Join(s.dir, "heed.db")})
	must(t, err)
	defer st.Close()
	if cs, err := st.Cases(t.Context(), true); len(cs) != 2 || err != nil {
		t.Errorf("%d cases, %v", len(cs), err)
	}
	if n, err := st.Reseal(t.Context(), time.Now()); n != 0 || err != nil { // it opens all that is not sealed with the new key
		t.Errorf("%d values were left, %v", n, err)
	}
}

// Two who rotate at once would each put a key in the place of the other's. The second is refused, and nothing of
// the file is touched.
func TestTwoRotations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := config.Server{Database: "sqlite://" + filepath.Join(dir, "heed.db")}
	st, err := app.OpenStore(t.Context(), settings)
	must(t, err)
	_, err = st.Secret(t.Context(), time.Now())
	must(t, err)
	must(t, st.Close())
	keys := filepath.Join(dir, "heed.db.key")
	before, err := os.ReadFile(keys)
	must(t, err)
	first, err := store.LockFile(keys + ".lock")
	must(t, err)
	defer first.Close()
	var out, errs bytes.Buffer
	p := program{out: &out, err: &errs, getenv: func(string) string { return "" }}
	if code := p.run(t.Context(), []string{"keys", "rotate", "--database", settings.Database}); code == exitOK || !strings.Contains(errs.String(), "being rotated already") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
	if after, err := os.ReadFile(keys); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the key file was changed, %v", err)
	}
}
