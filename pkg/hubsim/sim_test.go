package hubsim

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is the tests' time.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is acme with its people, and the App with a token.
type world struct {
	*Sim
	t     *testing.T
	clock *clock
	inst  int64
	token string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	// 1024 bits: fast to make, and nobody attacks a test.
	key, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // for speed
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{t: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	s := New(c.now, App{
		ID: 7, Slug: "heed", WebhookSecret: "s3cret", Key: key,
		Permissions: map[string]string{"issues": "write", "repository_advisories": "write", "contents": "read", "members": "read"},
		Events:      []string{"issues", "issue_comment", "repository_advisory", "security_advisory", "release", "push", "repository"},
	})
	s.AddOrg("acme")
	s.AddUser("rea", "zoe")
	s.AddOwner("acme", "olga")
	s.AddTeam("acme", "security", "mia", "sam")
	s.AddRepo("acme", "web", false)
	s.AddRepo("acme", "cases", true)
	s.Grant("acme/web", "mia", "maintain")
	s.Grant("acme/cases", "mia", "write")
	w := &world{Sim: s, t: t, clock: c, inst: s.Install("acme")}
	s.Pending()
	w.login()
	return w
}

func (w *world) jwt(claims map[string]any) string {
	w.t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	body, err := json.Marshal(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	head := b64([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + b64(body)
	sum := sha256.Sum256([]byte(head))
	sig, err := rsa.SignPKCS1v15(rand.Reader, w.key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return head + "." + b64(sig)
}

func (w *world) app() string {
	now := w.clock.now()
	return w.jwt(map[string]any{"iss": "7", "iat": now.Add(-30 * time.Second).Unix(), "exp": now.Add(2 * time.Minute).Unix()})
}

func (w *world) login() {
	w.t.Helper()
	status, out := w.as(w.app(), "POST", fmt.Sprintf("/app/installations/%d/access_tokens", w.inst), nil)
	if status != 201 {
		w.t.Fatalf("token: %d %v", status, out)
	}
	w.token = out["token"].(string)
}

// raw makes one call and returns everything.
func (w *world) raw(token, method, path string, body any, header ...string) (*http.Response, []byte, error) {
	w.t.Helper()
	var rd io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		rd = strings.NewReader(string(b))
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "https://api.github.com"+path, rd)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := w.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return res, b, err
}

func (w *world) as(token, method, path string, body any) (int, map[string]any) {
	w.t.Helper()
	res, b, err := w.raw(token, method, path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	var out map[string]any
	_ = json.Unmarshal(b, &out) // lists are for list
	return res.StatusCode, out
}

// do calls as the installation and wants a status.
func (w *world) do(want int, method, path string, body any) map[string]any {
	w.t.Helper()
	status, out := w.as(w.token, method, path, body)
	if status != want {
		w.t.Fatalf("%s %s: got %d, want %d: %v", method, path, status, want, out)
	}
	return out
}

func (w *world) list(path string) []map[string]any {
	w.t.Helper()
	res, b, err := w.raw(w.token, "GET", path, nil)
	if err != nil || res.StatusCode != 200 {
		w.t.Fatalf("GET %s: %v %v %s", path, res, err, b)
	}
	var out []map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		w.t.Fatalf("GET %s: %v: %s", path, err, b)
	}
	return out
}

func (w *world) lawful() {
	w.t.Helper()
	if v := w.Violations(); len(v) > 0 {
		w.t.Errorf("laws broken: %q", v)
	}
}

func (w *world) broken(want string) {
	w.t.Helper()
	if v := w.Violations(); len(v) != 1 || !strings.Contains(v[0], want) {
		w.t.Errorf("laws broken: %q, want one with %q", v, want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAuth(t *testing.T) {
	w := newWorld(t)
	if n := len(w.token); n < 450 || n > 600 || !strings.HasPrefix(w.token, "ghs_7_") || strings.Count(w.token, ".") != 2 {
		t.Errorf("token of %d characters: %s", n, w.token)
	}
	now := w.clock.now()
	for name, claims := range map[string]map[string]any{
		"other app": {"iss": "8", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()},
		"expired":   {"iss": "7", "iat": now.Add(-time.Hour).Unix(), "exp": now.Add(-time.Second).Unix()},
		"too long":  {"iss": "7", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()},
		"future":    {"iss": 7, "iat": now.Add(5 * time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()},
	} {
		if status, _ := w.as(w.jwt(claims), "GET", "/app", nil); status != 401 {
			t.Errorf("%s: %d", name, status)
		}
	}
	good := w.app()
	forged := good[:len(good)-8] + "AAAAAAAA"
	for token, want := range map[string]int{good: 200, forged: 401, w.token: 401, "": 401} {
		if status, _ := w.as(token, "GET", "/app", nil); status != want {
			t.Errorf("GET /app: %d, want %d", status, want)
		}
	}
	if status, _ := w.as(w.app(), "GET", "/repos/acme/web/issues", nil); status != 401 {
		t.Errorf("a JWT reads issues: %d", status)
	}
	w.clock.advance(59 * time.Minute)
	w.do(200, "GET", "/repos/acme/web", nil)
	w.clock.advance(time.Minute)
	if out := w.do(401, "GET", "/repos/acme/web", nil); out["message"] != "Bad credentials" {
		t.Error(out)
	}
	w.login()
	w.Suspend("acme")
	if out := w.do(403, "GET", "/repos/acme/web", nil); out["message"] != "This installation has been suspended" {
		t.Error(out)
	}
	w.Unsuspend("acme")
	w.do(200, "GET", "/repos/acme/web", nil)
	w.Uninstall("acme")
	w.do(401, "GET", "/repos/acme/web", nil)
	if status, _ := w.as(w.app(), "POST", fmt.Sprintf("/app/installations/%d/access_tokens", w.inst), nil); status != 404 {
		t.Errorf("token of the uninstalled: %d", status)
	}
	for _, c := range w.Journal() {
		if strings.Contains(string(c.Response), "ghs_") {
			t.Errorf("token in the journal: %s", c.Response)
		}
	}
	w.lawful()
}

func TestScopedToken(t *testing.T) {
	w := newWorld(t)
	path := fmt.Sprintf("/app/installations/%d/access_tokens", w.inst)
	_, out := w.as(w.app(), "POST", path, obj{"repositories": []string{"web"}, "permissions": obj{"issues": "read"}})
	w.token = out["token"].(string)
	w.do(200, "GET", "/repos/acme/web/issues", nil)
	w.do(403, "POST", "/repos/acme/web/issues", obj{"title": "x"})
	w.do(404, "GET", "/repos/acme/cases/issues", nil)
	if status, _ := w.as(w.app(), "POST", path, obj{"permissions": obj{"administration": "write"}}); status != 422 {
		t.Errorf("asked for more than granted: %d", status)
	}
}

func TestETag(t *testing.T) {
	w := newWorld(t)
	res, _, err := w.raw(w.token, "GET", "/repos/acme/web", nil)
	if err != nil {
		t.Fatal(err)
	}
	tag, left := res.Header.Get("ETag"), res.Header.Get("X-RateLimit-Remaining")
	res, body, err := w.raw(w.token, "GET", "/repos/acme/web", nil, "If-None-Match", tag)
	if err != nil || res.StatusCode != 304 || len(body) != 0 || res.Header.Get("X-RateLimit-Remaining") != left {
		t.Errorf("%d %q %s %v", res.StatusCode, body, res.Header.Get("X-RateLimit-Remaining"), err)
	}
	w.login() // another token: the cache is cold
	if res, _, _ = w.raw(w.token, "GET", "/repos/acme/web", nil, "If-None-Match", tag); res.StatusCode != 200 {
		t.Errorf("after rotation: %d", res.StatusCode)
	}
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	w.Rename("acme/web", "site")
	res, _, err := w.raw(w.token, "GET", "/repos/acme/web/issues?state=all", nil)
	if err != nil {
		t.Fatal(err)
	}
	to := res.Header.Get("Location")
	if res.StatusCode != 301 || !strings.Contains(to, "/repositories/") || !strings.HasSuffix(to, "/issues?state=all") {
		t.Fatalf("%d %s", res.StatusCode, to)
	}
	if got := w.list(strings.TrimPrefix(to, "https://api.github.com")); len(got) != 0 {
		t.Error(got)
	}
	w.do(307, "POST", "/repos/acme/web/issues", obj{"title": "x"})
	w.do(201, "POST", "/repos/acme/site/issues", obj{"title": "x"})
	w.DeleteRepo("acme/site")
	w.do(404, "GET", "/repos/acme/web", nil)
}

func TestContentsAndReleases(t *testing.T) {
	w := newWorld(t)
	if err := w.PushFile("mia", "acme/web", ".github/disclosure.yml", "version: 1\n"); err != nil {
		t.Fatal(err)
	}
	out := w.do(200, "GET", "/repos/acme/web/contents/.github/disclosure.yml", nil)
	b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(out["content"].(string), "\n", ""))
	if err != nil || string(b) != "version: 1\n" || out["type"] != "file" {
		t.Errorf("%v %s", out, b)
	}
	if got := w.list("/repos/acme/web/contents/.github"); len(got) != 1 || got[0]["name"] != "disclosure.yml" {
		t.Error(got)
	}
	w.do(404, "GET", "/repos/acme/web/contents/nothing.yml", nil)
	w.do(404, "GET", "/repos/acme/web/contents/.github/disclosure.yml?ref=nowhere", nil)
	w.do(404, "GET", "/repos/acme/web/releases/latest", nil)
	if err := w.PublishRelease("mia", "acme/web", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	if err := w.PublishPrerelease("mia", "acme/web", "v2.0.0-rc1"); err != nil {
		t.Fatal(err)
	}
	if got := w.do(200, "GET", "/repos/acme/web/releases/latest", nil); got["tag_name"] != "v1.2.3" {
		t.Error(got)
	}
	if err := w.PublishRelease("rea", "acme/web", "v9"); err == nil {
		t.Error("a stranger published a release")
	}
	// Somebody else's public repository can be read, not written.
	w.AddRepo("openssl", "openssl", false)
	w.Grant("openssl/openssl", "tom", "admin")
	if err := w.PublishRelease("tom", "openssl/openssl", "openssl-3.5.1"); err != nil {
		t.Fatal(err)
	}
	if got := w.list("/repos/openssl/openssl/releases"); len(got) != 1 {
		t.Error(got)
	}
	w.do(403, "POST", "/repos/openssl/openssl/issues", obj{"title": "x"})
	w.lawful()
}

func TestPermissionsOfPeople(t *testing.T) {
	w := newWorld(t)
	w.Grant("acme/web", "tim", "triage")
	for login, want := range map[string]string{
		"mia": "write maintain", "tim": "read triage", "rea": "read read", "olga": "admin admin", "sam": "read read",
	} {
		out := w.do(200, "GET", "/repos/acme/web/collaborators/"+login+"/permission", nil)
		if got := fmt.Sprint(out["permission"], " ", out["role_name"]); got != want {
			t.Errorf("%s: %s, want %s", login, got, want)
		}
	}
	w.do(404, "GET", "/repos/acme/web/collaborators/nobody/permission", nil)
	if out := w.do(200, "GET", "/orgs/acme/teams/security/memberships/sam", nil); out["state"] != "active" {
		t.Error(out)
	}
	w.do(404, "GET", "/orgs/acme/teams/security/memberships/rea", nil)
	w.lawful()
}
