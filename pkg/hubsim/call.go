package hubsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one request being answered.
type call struct {
	*Sim
	r      *http.Request
	rt     *route
	params map[string]string
	query  url.Values
	raw    []byte
	body   obj
	tok    *token // nil unless an installation token was shown
	jwt    bool   // the App itself
	repo   *repo  // of {owner}/{repo}, once resolved
	lacks  bool   // permission missing on a soft route

	status int
	header http.Header
	out    any
	bytes  []byte // the finished body
}

func (c *call) reply(status int, v any) { c.status, c.out = status, v }

func (c *call) fail(status int, message string) {
	c.reply(status, obj{
		"message": message, "status": strconv.Itoa(status),
		"documentation_url": "https://docs.github.com/rest",
	})
}

func (c *call) notFound() { c.fail(404, "Not Found") }

// forbidden is the answer to an installation whose permissions do not reach.
func (c *call) forbidden() { c.fail(403, "Resource not accessible by integration") }

// invalid is GitHub's validation answer. code is missing_field, invalid or
// custom.
func (c *call) invalid(resource, field, code, message string) {
	e := obj{"resource": resource, "field": field, "code": code}
	if message != "" {
		e["message"] = message
	}
	c.reply(422, obj{
		"message": "Validation Failed", "errors": []any{e}, "status": "422",
		"documentation_url": "https://docs.github.com/rest",
	})
}

// decode reads the JSON body; an empty body is an empty object.
func (c *call) decode() bool {
	c.body = obj{}
	if len(strings.TrimSpace(string(c.raw))) == 0 {
		return true
	}
	var v any
	if err := json.Unmarshal(c.raw, &v); err != nil {
		c.fail(400, "Problems parsing JSON")
		return false
	}
	switch v := v.(type) {
	case nil: // ghinstallation sends "null" for no options
	case obj:
		c.body = v
	case []any: // labels and assignees may come as a bare list
		c.body = obj{"labels": v, "assignees": v}
	default:
		c.fail(400, "Body should be a JSON object")
		return false
	}
	return true
}

// str reads a string field. null and absent are told apart by given.
func (c *call) str(field string) (value string, given bool) {
	v, given := c.body[field]
	value, _ = v.(string)
	return value, given
}

// list reads strings. An absent list and an empty one are not the same: one
// leaves things alone, the other empties them.
func (c *call) list(field string) (out []string, given bool) {
	v, given := c.body[field]
	many, _ := v.([]any)
	for _, x := range many {
		switch x := x.(type) {
		case string:
			out = append(out, x)
		case obj: // labels may be objects
			if n, ok := x["name"].(string); ok {
				out = append(out, n)
			}
		}
	}
	return out, given
}

func (c *call) int(param string) int64 {
	n, err := strconv.ParseInt(c.params[param], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// since reads the query's time limit; the zero time without one.
func (c *call) since() time.Time {
	t, err := time.Parse(time.RFC3339, c.query.Get("since"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// perPage: 30 unless asked, never more than 100, whatever is asked.
func (c *call) perPage() int {
	n, err := strconv.Atoi(c.query.Get("per_page"))
	if err != nil || n < 1 {
		return 30
	}
	return min(n, 100)
}

// base is how the caller reached us; Link and Location must lead back there.
func (c *call) base() string {
	scheme, host := c.r.URL.Scheme, c.r.Host
	if host == "" {
		host = c.r.URL.Host
	}
	if scheme == "" {
		scheme = "http"
		if c.r.TLS != nil {
			scheme = "https"
		}
	}
	if strings.HasPrefix(c.r.URL.Path, "/api/v3/") {
		host += "/api/v3"
	}
	return scheme + "://" + host
}

func (c *call) link(rel string, set map[string]string) string {
	q := url.Values{}
	maps.Copy(q, c.query)
	for k, v := range set {
		q.Set(k, v)
	}
	path := strings.TrimPrefix(c.r.URL.EscapedPath(), "/api/v3")
	return fmt.Sprintf(`<%s%s?%s>; rel="%s"`, c.base(), path, q.Encode(), rel)
}

// page cuts one numbered page out of n items and writes the Link header.
func (c *call) page(n int) (from, to int) {
	per := c.perPage()
	p, err := strconv.Atoi(c.query.Get("page"))
	if err != nil || p < 1 {
		p = 1
	}
	last := max(1, (n+per-1)/per)
	var links []string
	at := func(rel string, p int) {
		links = append(links, c.link(rel, map[string]string{"page": strconv.Itoa(p)}))
	}
	if p > 1 {
		at("prev", p-1)
	}
	if p < last {
		at("next", p+1)
		at("last", last)
	}
	if p > 1 {
		at("first", 1)
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	return min(n, (p-1)*per), min(n, p*per)
}

// cursor cuts out one page by opaque cursors (before, after): advisories have
// no page numbers. keys are the items' identities in order.
func (c *call) cursor(keys []string) (from, to int) {
	per := c.perPage()
	index := func(cur string) int {
		k, _ := base64.RawURLEncoding.DecodeString(cur)
		for i, x := range keys {
			if x == string(k) {
				return i
			}
		}
		return -1
	}
	to = len(keys)
	if b := c.query.Get("before"); b != "" {
		to = max(0, index(b))
		from = max(0, to-per)
	} else {
		if a := c.query.Get("after"); a != "" {
			if i := index(a); i >= 0 {
				from = i + 1
			}
		}
		to = min(to, from+per)
	}
	c.query.Del("before")
	c.query.Del("after")
	var links []string
	enc := func(i int) string { return base64.RawURLEncoding.EncodeToString([]byte(keys[i])) }
	if from > 0 && from < len(keys) {
		links = append(links, c.link("prev", map[string]string{"before": enc(from)}))
	}
	if to < len(keys) && to > 0 {
		links = append(links, c.link("next", map[string]string{"after": enc(to - 1)}))
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	return from, to
}
