package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// A line is the way of one installation to GitHub, below its tokens. What it remembers it tells to
// this installation alone.
type line struct {
	next   http.RoundTripper
	inst   int64
	memory *memory
	gate   *gate
}

// What the context of a call may say.
type (
	askKey   struct{} // remember the answer, and ask next time only whether it still holds
	watchKey struct{} // the call is made to watch, not to act
)

// Watching marks calls that only compare GitHub with what we know: they are asked conditionally, and
// yield to all others when calls become scarce.
func Watching(ctx context.Context) context.Context {
	return context.WithValue(conditionally(ctx), watchKey{}, true)
}

func conditionally(ctx context.Context) context.Context {
	return context.WithValue(ctx, askKey{}, true)
}

func unconditionally(ctx context.Context) context.Context {
	return context.WithValue(ctx, askKey{}, nil)
}

func watches(ctx context.Context) bool { return ctx.Value(watchKey{}) != nil }

// errElsewhere: whoever followed would show our token to a stranger.
var errElsewhere = errors.New("GitHub's API names an address that is not its own")

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.ask(r)
	if err != nil {
		return nil, err
	}
	l.gate.left(res.Header)
	if res.StatusCode < 300 || res.StatusCode > 399 {
		return res, nil
	}
	if to, err := res.Location(); err == nil && (to.Host != r.URL.Host || to.Scheme != r.URL.Scheme) {
		_ = res.Body.Close()
		return nil, errElsewhere
	}
	// GitHub wants the request repeated as it was, whatever the number. Go's client makes a GET of a
	// write at 301 and 302, and that would pass for done. Source: GitHub's documentation, "Follow
	// redirects".
	if r.Method != http.MethodGet && (res.StatusCode == http.StatusMovedPermanently || res.StatusCode == http.StatusFound) {
		res.StatusCode = http.StatusPermanentRedirect
	}
	return res, nil
}

// ask makes the call, conditionally if its answer is remembered. GitHub is asked every time.
func (l *line) ask(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.Context().Value(askKey{}) == nil {
		return l.next.RoundTrip(r)
	}
	key := question{l.inst, r.Header.Get("Accept"), r.URL.String()}
	old, known := l.memory.recall(key)
	if known {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", old.tagFor(r.Header))
	}
	res, err := l.next.RoundTrip(r)
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode == http.StatusNotModified && known:
		_ = res.Body.Close()
		return old.again(res), nil
	case res.StatusCode == http.StatusOK && res.Header.Get("ETag") != "":
		return l.memory.keep(key, r, res)
	case res.StatusCode >= 400 && res.StatusCode < 500:
		l.memory.drop(key) // it is not ours to see any more
	}
	return res, nil
}

// memory holds answers of GitHub, for all installations together, up to a number of bytes. They may
// be embargoed: they are never written to disk.
type memory struct {
	most int

	mu   sync.Mutex
	size int
	lru  *simplelru.LRU[question, answered]
}

// mostRemembered is 32 MiB: some ten thousand lists without news and some hundred with.
const mostRemembered = 32 << 20

// question names an answer. The token is no part of it: it changes every hour.
type question struct {
	inst        int64
	accept, url string
}

// answered is an answer of GitHub's.
type answered struct {
	tag    string
	by     [sha256.Size]byte // of the token it was given to
	header http.Header
	body   []byte
}

func newMemory(most int) *memory {
	m := &memory{most: most}
	m.lru, _ = simplelru.NewLRU(1<<20, func(q question, a answered) { m.size -= weight(q, a) }) // fails only for sizes below 1
	return m
}

// weight is what an answer costs, with what holds it.
func weight(q question, a answered) int { return 1024 + len(q.url) + len(a.body) }

func (m *memory) recall(q question) (answered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lru.Get(q)
}

func (m *memory) drop(q question) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lru.Remove(q)
}

// keep remembers an answer and passes it on. One that breaks off is not an answer.
func (m *memory) keep(q question, r *http.Request, res *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	a := answered{tag: res.Header.Get("ETag"), by: sha256.Sum256([]byte(r.Header.Get("Authorization"))), body: body, header: http.Header{}}
	for _, name := range []string{"Link", "Content-Type"} {
		if v := res.Header.Get(name); v != "" {
			a.header.Set(name, v)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lru.Remove(q) // replaced in place, it would not be weighed
	if w := weight(q, a); w <= m.most/4 {
		m.lru.Add(q, a)
		for m.size += w; m.size > m.most; {
			m.lru.RemoveOldest()
		}
	}
	return res, nil
}

// tagFor is the tag that GitHub gives the same answer today. It is a sum of some headers of the
// request, the token among them, and the answer's body; so a tag of yesterday's token would never fit
// again, and is counted anew. Were the sum another one, GitHub would answer in full: nothing is lost
// but the saving. Source: bored-engineer/github-conditional-http-transport, which found it out.
func (a answered) tagFor(h http.Header) string {
	if a.by == sha256.Sum256([]byte(h.Get("Authorization"))) {
		return a.tag
	}
	sum := sha256.New()
	for _, name := range []string{"Accept", "Authorization", "Cookie"} {
		for _, v := range h.Values(name) {
			sum.Write([]byte(v + ":"))
		}
	}
	sum.Write(a.body)
	return `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
}

// again is the old answer under the new one's head, which knows what is left of the hour.
func (a answered) again(res *http.Response) *http.Response {
	res.StatusCode, res.Status = http.StatusOK, "200 OK"
	for name, v := range a.header {
		if res.Header.Get(name) == "" {
			res.Header[name] = v
		}
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	return res
}
