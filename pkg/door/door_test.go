package door_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // to see that a signature by it is refused
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/door"
	"github.com/heed-app/heed/pkg/store"
)

const (
	secret   = "it's a secret"
	previous = "it was a secret"
)

func clock() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }

func newStore(tb testing.TB) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), "sqlite://"+filepath.Join(tb.TempDir(), "heed.db"), store.OneKey(bytes.Repeat([]byte{1}, 32)), nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func newDoor(tb testing.TB, s *store.Store, log io.Writer) *door.Door {
	tb.Helper()
	d, err := door.New(s, []string{secret, previous}, clock, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func sign(h func() hash.Hash, name, secret string, body []byte) string {
	m := hmac.New(h, []byte(secret))
	m.Write(body)
	return name + "=" + hex.EncodeToString(m.Sum(nil))
}

func sha256By(secret string, body []byte) string { return sign(sha256.New, "sha256", secret, body) }

// delivery is a request as GitHub sends it.
func delivery(guid string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/github/hook", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "issues")
	r.Header.Set("X-GitHub-Delivery", guid)
	r.Header.Set("X-Hub-Signature-256", sha256By(secret, body))
	return r
}

func answer(d http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func body() []byte { return []byte(`{"action":"opened","issue":{"title":"canary"}}`) }

func TestTheDoor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		want   int
	}{
		{"a signed delivery", func(*http.Request) {}, http.StatusAccepted},
		{"an event that nobody knows yet", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "quantum_leap") }, http.StatusAccepted},
		{"signed with the secret that is being rotated out", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sha256By(previous, body())) }, http.StatusAccepted},
		{"a content type with its charset", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, http.StatusAccepted},
		{"a SHA-1 signature besides", func(r *http.Request) { r.Header.Set("X-Hub-Signature", "sha1=00") }, http.StatusAccepted},

		{"no signature", func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, http.StatusUnauthorized},
		{"a signature by somebody else", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sha256By("guess", body())) }, http.StatusUnauthorized},
		{"a signature with an empty secret", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sha256By("", body())) }, http.StatusUnauthorized},
		{"a signature of another body", func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sha256By(secret, []byte("{}"))) }, http.StatusUnauthorized},
		{"half a signature", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256")[:39])
		}, http.StatusUnauthorized},
		{"a signature without its hash's name", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
		}, http.StatusUnauthorized},
		{"SHA-1 only", func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", sign(sha1.New, "sha1", secret, body()))
		}, http.StatusUnauthorized},
		{"SHA-1 where SHA-256 belongs", func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(sha1.New, "sha1", secret, body()))
		}, http.StatusUnauthorized},

		{"no event", func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, http.StatusBadRequest},
		{"no delivery", func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, http.StatusBadRequest},
		{"an event of the sweep", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "heed.advisory") }, http.StatusBadRequest},
		{"a name of the sweep", func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", "advisory/1/GHSA") }, http.StatusBadRequest},
		{"an event of 200 letters", func(r *http.Request) { r.Header.Set("X-GitHub-Event", strings.Repeat("a", 200)) }, http.StatusBadRequest},

		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusUnsupportedMediaType},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, http.StatusUnsupportedMediaType},
		{"two content types", func(r *http.Request) { r.Header.Set("Content-Type", "application/json, text/plain") }, http.StatusUnsupportedMediaType},

		{"GET", func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
		{"PUT", func(r *http.Request) { r.Method = http.MethodPut }, http.StatusMethodNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			var log bytes.Buffer
			r := delivery("guid", body())
			c.change(r)
			res := answer(newDoor(t, s, &log), r)
			if res.Code != c.want {
				t.Errorf("got %d, want %d", res.Code, c.want)
			}
			if allow := res.Header().Get("Allow"); (c.want == http.StatusMethodNotAllowed) != (allow == "POST") {
				t.Errorf("Allow: %q", allow)
			}
			ds, err := s.NewDeliveries(t.Context(), "guid", clock())
			if err != nil || (len(ds) == 1) != (c.want == http.StatusAccepted) {
				t.Errorf("%d stored, %v", len(ds), err)
			}
			for _, d := range ds {
				if !bytes.Equal(d.Body, body()) || d.Event != r.Header.Get("X-GitHub-Event") || !d.Received.Equal(clock()) {
					t.Errorf("stored as %+v", d)
				}
			}
			if text := log.String() + res.Body.String(); strings.Contains(text, "canary") {
				t.Errorf("the body is in the log or the answer: %s", text)
			}
		})
	}
}

func TestARepeatedDeliveryIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	d := newDoor(t, s, io.Discard)
	for range 3 {
		if res := answer(d, delivery("guid", body())); res.Code != http.StatusAccepted {
			t.Errorf("got %d", res.Code)
		}
	}
	if ds, err := s.NewDeliveries(t.Context(), "guid", clock()); err != nil || len(ds) != 1 {
		t.Errorf("%d stored, %v", len(ds), err)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	d := newDoor(t, s, io.Discard)
	for name, c := range map[string]struct{ size, want int }{
		"empty": {0, http.StatusAccepted}, "largest": {door.MaxBody, http.StatusAccepted}, "larger": {door.MaxBody + 1, http.StatusRequestEntityTooLarge},
	} {
		if res := answer(d, delivery(name, make([]byte, c.size))); res.Code != c.want {
			t.Errorf("%d bytes: got %d, want %d", c.size, res.Code, c.want)
		}
		if known, err := s.Known(t.Context(), name); err != nil || known != (c.want == http.StatusAccepted) {
			t.Errorf("%d bytes: known %t, %v", c.size, known, err)
		}
	}
}

func TestABodyThatEndsEarlyIsNotStored(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	srv := httptest.NewServer(newDoor(t, s, io.Discard))
	defer srv.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	part := []byte(`{"action":`)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: guid\r\n"+
		"X-Hub-Signature-256: %s\r\nContent-Length: 100\r\n\r\n%s", sha256By(secret, part), part)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 400 ") {
		t.Errorf("got %q, %v", got, err)
	}
	if known, err := s.Known(t.Context(), "guid"); err != nil || known {
		t.Errorf("half a body was stored, %v", err)
	}
}

func TestStorageThatCannotTakeIt(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	d := newDoor(t, s, io.Discard)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if res := answer(d, delivery("guid", body())); res.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d", res.Code)
	}
}

// The disk is full, and then it is not: nothing half-written in between, and nobody has to restart
// anything. SQLite's own limit of pages makes the same error as a disk without room.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	d := newDoor(t, s, io.Discard)
	pages := func(n int) {
		t.Helper()
		if err := s.Write(t.Context(), clock(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), fmt.Sprintf("pragma max_page_count = %d", n))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if res := answer(d, delivery("before", body())); res.Code != http.StatusAccepted {
		t.Fatalf("with room: %d", res.Code)
	}
	pages(1) // as many as there are
	big := make([]byte, 1<<20)
	_, _ = rand.Read(big) // what repeats itself would be compressed
	var wg sync.WaitGroup
	for i := range 8 { // some of them share a commit: none of it is kept
		wg.Go(func() {
			if res := answer(d, delivery(fmt.Sprint("full-", i), big)); res.Code != http.StatusServiceUnavailable {
				t.Errorf("full: %d", res.Code)
			}
		})
	}
	wg.Wait()
	if err := s.CheckRoom(t.Context(), clock()); !store.IsFull(err) {
		t.Errorf("the check says %v", err)
	}
	known := func(guid string) bool {
		t.Helper()
		is, err := s.Known(t.Context(), guid)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if !known("before") || known("full-0") || known("full-7") {
		t.Error("what was refused is there, or what was accepted is not")
	}
	pages(1 << 30)
	if err := s.CheckRoom(t.Context(), clock()); err != nil {
		t.Error(err)
	}
	for i := range 8 {
		if res := answer(d, delivery(fmt.Sprint("full-", i), big)); res.Code != http.StatusAccepted || !known(fmt.Sprint("full-", i)) {
			t.Errorf("with room again: %d", res.Code)
		}
	}
}

// hangingUp ends the request's context while the body is read.
type hangingUp struct {
	io.Reader
	hangUp func()
}

func (h hangingUp) Read(p []byte) (int, error) {
	h.hangUp()
	return h.Reader.Read(p)
}

// GitHub hangs up after ten seconds; what it sent is kept all the same.
func TestWhoHangsUpIsHeard(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	r := delivery("guid", body()).WithContext(ctx)
	r.Body = io.NopCloser(hangingUp{r.Body, hangUp})
	if res := answer(newDoor(t, s, io.Discard), r); res.Code != http.StatusAccepted {
		t.Errorf("got %d", res.Code)
	}
	if known, err := s.Known(t.Context(), "guid"); err != nil || !known || ctx.Err() == nil {
		t.Errorf("not stored, %v", err)
	}
}

func TestAnEmptySecretOpensNoDoor(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	log := slog.New(slog.DiscardHandler)
	for _, secrets := range [][]string{nil, {}, {""}, {"", previous}} {
		if _, err := door.New(s, secrets, clock, log); err == nil {
			t.Errorf("%q opens a door", secrets)
		}
	}
	d, err := door.New(s, []string{secret, ""}, clock, log)
	if err != nil {
		t.Fatal(err)
	}
	r := delivery("guid", body())
	r.Header.Set("X-Hub-Signature-256", sha256By("", body()))
	if res := answer(d, r); res.Code != http.StatusUnauthorized {
		t.Errorf("an empty previous secret signs: %d", res.Code)
	}
}

// Whatever comes: no panic, and what is not signed is neither accepted nor stored.
func FuzzDoor(f *testing.F) {
	s := newStore(f)
	d := newDoor(f, s, io.Discard)
	f.Add("POST", "application/json", "issues", "guid", sha256By(secret, body()), false, body())
	f.Add("POST", "application/json", "issues", "guid-2", "", true, body())
	f.Add("POST", "application/json;charset=\"utf-8\"", "push", "guid-3", "sha1=00", false, []byte("{"))
	f.Add("GET", "text/html", "heed.advisory", "../..", "sha256=", false, []byte{})
	f.Add("POST", "application/json", "issues\x00", "g\xff", "sha256=zz", true, []byte{0xff})
	f.Fuzz(func(t *testing.T, method, kind, event, guid, signature string, signed bool, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/api/github/hook", bytes.NewReader(body))
		r.Method = method
		if signed {
			signature = sha256By(secret, body)
		}
		for k, v := range map[string]string{"Content-Type": kind, "X-GitHub-Event": event, "X-GitHub-Delivery": guid, "X-Hub-Signature-256": signature} {
			r.Header.Set(k, v)
		}
		before, err := s.Known(t.Context(), guid)
		if err != nil {
			t.Fatal(err)
		}
		res := answer(d, r)
		after, err := s.Known(t.Context(), guid)
		if err != nil {
			t.Fatal(err)
		}
		right := strings.EqualFold(signature, sha256By(secret, body)) || strings.EqualFold(signature, sha256By(previous, body))
		switch accepted := res.Code == http.StatusAccepted; {
		case accepted && (!right || method != http.MethodPost || strings.Contains(event, ".") || event == "" || guid == ""):
			t.Errorf("accepted: %s %q %q %q %q", method, kind, event, guid, signature)
		case accepted != after && !before:
			t.Errorf("answered %d, stored %t", res.Code, after)
		case !accepted && (res.Code < 400 || res.Code == http.StatusServiceUnavailable):
			t.Errorf("answered %d", res.Code)
		}
	})
}

func BenchmarkDoor16(b *testing.B) { benchmark(b, 16) }
func BenchmarkDoor64(b *testing.B) { benchmark(b, 64) }

// benchmark sends deliveries of 6 KB over so many connections at once, each answered after its fsync.
func benchmark(b *testing.B, connections int) {
	payload := []byte(`{"action":"opened","issue":{"body":"` + strings.Repeat("A sentence of a report. ", 250) + `"}}`)
	signature := sha256By(secret, payload)
	srv := httptest.NewServer(newDoor(b, newStore(b), io.Discard))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	post := func(guid string) error {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, srv.URL, bytes.NewReader(payload))
		if err != nil {
			return err
		}
		r.Header = http.Header{
			"Content-Type": {"application/json"}, "X-Github-Event": {"issues"}, "X-Github-Delivery": {guid}, "X-Hub-Signature-256": {signature},
		}
		res, err := client.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusAccepted {
			return errors.New(res.Status)
		}
		return nil
	}
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := post(fmt.Sprintf("guid-%d", n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
