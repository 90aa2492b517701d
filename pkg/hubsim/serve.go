package hubsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Handler answers REST under "/" and "/api/v3/", GraphQL at "/graphql" and
// "/api/graphql". A lost connection is played with [http.ErrAbortHandler].
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := s.serve(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), c.header)
		w.WriteHeader(c.status)
		_, _ = w.Write(c.bytes) // the caller hung up: its loss
	})
}

// Client returns a client whose every request goes straight to the Sim,
// whatever its host: nothing listens and nothing dials. A context that ends
// during the call loses the answer, not the effect, as on a real wire.
func (s *Sim) Client() *http.Client { return &http.Client{Transport: roundTripper{s}} }

type roundTripper struct{ s *Sim }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	own := r.Clone(r.Context()) // a RoundTripper may not touch its request
	if own.Host == "" {
		own.Host = own.URL.Host
	}
	c, err := t.s.serve(own)
	if err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := c.bytes
	if r.Method == http.MethodHead {
		body = nil
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", c.status, http.StatusText(c.status)), StatusCode: c.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// serve answers one request. An error means that the connection broke.
func (s *Sim) serve(r *http.Request) (*call, error) {
	flying := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	var raw []byte
	if r.Body != nil {
		var err error
		if raw, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("read request: %w", err)
		}
	}
	s.mu.Lock()
	c := s.open(r, raw)
	isWrite, n, fault := c.writes(), 0, s.Fault
	if isWrite {
		s.writes++
		n = s.writes
	}
	s.mu.Unlock()

	// Asked without the lock, so that a fault may look at the Sim.
	f := None
	if fault != nil {
		r.Body = io.NopCloser(bytes.NewReader(raw))
		f = fault(r, isWrite, n)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	c.answer(f, flying)
	c.finish()
	s.record(c, isWrite, f)
	if f == LandedUnanswered {
		return nil, errors.New("connection reset by peer")
	}
	return c, nil
}

func (s *Sim) open(r *http.Request, raw []byte) *call {
	c := &call{Sim: s, r: r, raw: raw, query: r.URL.Query(), header: http.Header{}}
	path := r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/api/v3"); ok && (rest == "" || rest[0] == '/') {
		path = rest
	} else if path == "/api/graphql" {
		path = "/graphql"
	}
	segs := split(path)
	// A repository's number is its one lasting name; GitHub redirects here.
	if len(segs) > 2 && segs[0] == "repositories" {
		if id, err := strconv.ParseInt(segs[1], 10, 64); err == nil {
			if rp := s.repos[id]; rp != nil {
				segs = append([]string{"repos", rp.owner.login, rp.name}, segs[2:]...)
			}
		}
	}
	c.rt, c.params = s.find(r.Method, segs)
	c.readAuth()
	return c
}

func (c *call) writes() bool {
	if c.rt == nil {
		return c.r.Method != http.MethodGet && c.r.Method != http.MethodHead
	}
	if c.rt.path == "/graphql" {
		return isMutation(c.raw)
	}
	return c.rt.write()
}

// answer runs the gauntlet in GitHub's order: is the house standing, who are
// you, are you too fast, may you, and only then the endpoint.
func (c *call) answer(f Fault, flying int64) {
	switch {
	case c.now().Before(c.outage):
		c.fail(502, "Server Error")
		return
	case f == Lost:
		c.fail(502, "Server Error")
		return
	case f == Refused:
		c.forbidden()
		return
	case f >= 100:
		c.fail(int(f), http.StatusText(int(f)))
		return
	}
	if c.rt == nil {
		c.notFound()
		return
	}
	if !c.authorised() || c.banned() || c.tooFast(flying) {
		return
	}
	if !c.decode() || !c.resolveRepo() || !c.permitted() {
		return
	}
	if c.repo != nil && c.repo.archived && c.rt.write() {
		c.fail(403, "Repository was archived so is read-only.")
		return
	}
	c.rt.do(c)
}

// resolveRepo finds {owner}/{repo}. Renamed repositories redirect by number:
// 301 for reads, 307 for the rest, so that a body survives.
func (c *call) resolveRepo() bool {
	o, hasOwner := c.params["owner"]
	n, hasRepo := c.params["repo"]
	if !hasOwner || !hasRepo {
		return true
	}
	rp := c.repos[c.names[fold(o+"/"+n)]]
	if rp == nil || rp.private && c.rt.auth == asInstallation && !c.inside(rp) {
		c.notFound()
		return false
	}
	if fold(rp.full()) != fold(o+"/"+n) {
		rest := split(strings.TrimPrefix(c.r.URL.EscapedPath(), "/api/v3"))[3:]
		to := fmt.Sprintf("%s/repositories/%d", c.base(), rp.id)
		if len(rest) > 0 {
			to += "/" + strings.Join(rest, "/")
		}
		if c.r.URL.RawQuery != "" {
			to += "?" + c.r.URL.RawQuery
		}
		status := http.StatusTemporaryRedirect
		if !c.rt.write() {
			status = http.StatusMovedPermanently
		}
		c.header.Set("Location", to)
		c.reply(status, obj{"message": "Moved Permanently", "url": to})
		return false
	}
	c.repo = rp
	return true
}

// inside: the caller's installation covers the repository.
func (c *call) inside(rp *repo) bool {
	return c.tok != nil && c.tok.inst.owner == rp.owner && (c.tok.only == nil || c.tok.only[rp.id])
}

// permitted checks what the route needs against what app.yml lists (a law),
// and against what is granted (GitHub's answer). Reading public things of
// other people needs no permission.
func (c *call) permitted() bool {
	if c.rt.auth != asInstallation {
		return true
	}
	if c.repo != nil && !c.inside(c.repo) {
		c.lacks = true
		if c.rt.open {
			return true
		}
		c.forbidden()
		return false
	}
	if c.tok == nil {
		if c.rt.open {
			c.lacks = true
			return true
		}
		c.fail(401, "Requires authentication")
		return false
	}
	return c.holds(c.rt.need)
}

// holds is permitted for one "permission:level".
func (c *call) holds(need string) bool {
	perm, level, _ := strings.Cut(need, ":")
	if perm == "" || perm == "metadata" {
		return true
	}
	if !enough(c.app.Permissions[perm], level) {
		c.violate("permission: %s needs %s=%s, which app.yml does not list", c.rt.name(), perm, level)
	} else if enough(c.granted[perm], level) && enough(c.tok.perms[perm], level) {
		return true
	}
	c.header.Set("X-Accepted-GitHub-Permissions", perm+"="+level)
	if c.rt.soft {
		c.lacks = true
		return true
	}
	c.forbidden()
	return false
}

func enough(have, want string) bool {
	steps := map[string]int{"": 0, "none": 0, "read": 1, "write": 2, "admin": 3}
	return steps[have] >= steps[want]
}

// finish turns the reply into bytes, answers 304 where the caller has it
// already, and adds the headers that are on every answer.
func (c *call) finish() {
	if c.out != nil {
		c.bytes = encode(c.out)
		c.header.Set("Content-Type", "application/json; charset=utf-8")
	}
	c.header.Set("Date", c.now().UTC().Format(http.TimeFormat))
	c.header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	c.header.Set("X-GitHub-Request-Id", fmt.Sprintf("SIM:%06X", len(c.log)+1))
	if c.r.Method == http.MethodGet && c.status == http.StatusOK {
		// The tag is a sum of these headers and the body: it depends on the caller's token, so that
		// rotating it makes caches cold. Source: github.com/bored-engineer/github-conditional-http-transport
		h := sha256.New()
		for _, name := range []string{"Accept", "Authorization", "Cookie"} {
			for _, v := range c.r.Header.Values(name) {
				_, _ = io.WriteString(h, v+":")
			}
		}
		_, _ = h.Write(c.bytes)
		tag := `W/"` + hex.EncodeToString(h.Sum(nil)) + `"`
		c.header.Set("ETag", tag)
		c.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		c.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
		if strings.Contains(c.r.Header.Get("If-None-Match"), strings.TrimPrefix(tag, "W/")) {
			c.status, c.bytes = http.StatusNotModified, nil
			c.header.Del("Link") // whoever remembers the page must remember what follows it
			c.header.Del("Content-Type")
			c.giveBack() // 304 is free of the primary limit
		}
	}
	c.rateHeaders()
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("hubsim: encode answer: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
