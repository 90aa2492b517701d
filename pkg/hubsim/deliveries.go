package hubsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // GitHub still sends the legacy signature
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is one attempt at a webhook. A redelivery has the GUID of its
// original and an ID of its own.
type Delivery struct {
	ID             int64
	GUID           string
	Event, Action  string // Action is "" for events without one (push)
	InstallationID int64  // 0 for events that belong to no installation (security_advisory)
	RepositoryID   int64
	Header         http.Header
	Body           []byte
	At             time.Time
	Redelivery     bool
}

type delivery struct {
	Delivery
	taken  time.Time
	ended  bool
	status int
}

const (
	bodyCap      = 25 << 20           // bigger: GitHub sends nothing at all
	logWindow    = 3 * 24 * time.Hour // deliveries can be seen and repeated this long
	answerWithin = 10 * time.Second   // slower is a failure

)

// needed says which permission an event hangs on; events of a permission that
// is gone are silently not sent.
func needed(event string) string {
	switch event {
	case "issues", "issue_comment":
		return "issues"
	case "repository_advisory":
		return "repository_advisories"
	case "release", "push":
		return "contents"
	}
	return ""
}

// emit sends a webhook to the App, if it would get it: subscribed, installed,
// not suspended, permitted. target owns the installation.
func (s *Sim) emit(event, action string, target, sender *account, r *repo, more obj) {
	always := strings.HasPrefix(event, "installation")
	if !always && !slices.Contains(s.app.Events, event) {
		return
	}
	if p := needed(event); p != "" && !enough(s.granted[p], "read") {
		return
	}
	in := s.installedOn(target)
	// The advisory database is the App's own feed: no installation is asked.
	if event != "security_advisory" {
		if in == nil || !in.suspended.IsZero() && !always {
			return
		}
	}
	body := obj{}
	if action != "" {
		body["action"] = action
	}
	d := &delivery{Delivery: Delivery{Event: event, Action: action, At: s.now()}}
	if in != nil {
		d.InstallationID = in.id
		body["installation"] = obj{"id": in.id, "node_id": nodeID("MDI", in.id)}
	}
	if r != nil {
		d.RepositoryID = r.id
		body["repository"] = s.repoObj(r)
	}
	if target != nil && target.org && !always {
		body["organization"] = orgObj(target)
	}
	if sender != nil {
		body["sender"] = userObj(sender)
	}
	maps.Copy(body, more)
	if d.Body = encode(body); len(d.Body) > bodyCap {
		return
	}
	d.ID = s.id()
	// From a counter, so that a story has the same GUIDs every time.
	h := sha256.Sum256(fmt.Appendf(nil, "guid %d", d.ID))
	d.GUID = fmt.Sprintf("%x-%x-11f1-%x-%x", h[:4], h[4:6], h[6:8], h[8:14])
	d.Header = s.hookHeader(&d.Delivery)
	s.deliveries = append(s.deliveries, d)
	s.queue = append(s.queue, d)
}

func (s *Sim) hookHeader(d *Delivery) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/51c0dcf")
	h.Set("Accept", "*/*")
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Hook-ID", "424242")
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(s.app.ID, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if s.app.WebhookSecret != "" {
		h.Set("X-Hub-Signature-256", "sha256="+sign(sha256.New, s.app.WebhookSecret, d.Body))
		h.Set("X-Hub-Signature", "sha1="+sign(sha1.New, s.app.WebhookSecret, d.Body))
	}
	return h
}

func sign(h func() hash.Hash, secret string, body []byte) string {
	m := hmac.New(h, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Pending takes out the deliveries that were not sent yet, in order. Who takes
// them should tell the outcome with [Sim.RecordDelivery]; without one GitHub's
// log shows a time-out after ten seconds.
func (s *Sim) Pending() []Delivery {
	var out []Delivery
	for {
		d, ok := s.take()
		if !ok {
			return out
		}
		out = append(out, d)
	}
}

func (s *Sim) take() (Delivery, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return Delivery{}, false
	}
	d := s.queue[0]
	s.queue = s.queue[1:]
	d.taken = s.now()
	return d.Delivery, true
}

// Sent returns every delivery ever made, without redeliveries.
func (s *Sim) Sent() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Delivery
	for _, d := range s.deliveries {
		if !d.Redelivery {
			out = append(out, d.Delivery)
		}
	}
	return out
}

// RecordDelivery writes down how a delivery went; status 0 means that no
// connection came about.
func (s *Sim) RecordDelivery(id int64, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.deliveries, id, func(d *delivery, id int64) int { return int(d.ID - id) })
	if found {
		s.deliveries[i].ended, s.deliveries[i].status = true, status
	}
}

// Redeliver sends a delivery again: same GUID, same bytes, new ID.
func (s *Sim) Redeliver(guid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deliveries {
		if d.GUID == guid {
			s.again(d)
			return nil
		}
	}
	return fmt.Errorf("no delivery %s", guid)
}

func (s *Sim) again(d *delivery) *delivery {
	n := &delivery{Delivery: d.Delivery}
	n.ID, n.At, n.Redelivery = s.id(), s.now(), true
	n.Header = s.hookHeader(&n.Delivery) // signed with the secret of now
	s.deliveries = append(s.deliveries, n)
	s.queue = append(s.queue, n)
	return n
}

// Send posts everything pending to url and records the outcomes, until
// nothing is pending. An unreachable or refusing receiver is an outcome, not
// an error: GitHub does not try again either. Only ctx ending is an error.
func (s *Sim) Send(ctx context.Context, client *http.Client, url string) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("send webhooks: %w", err)
		}
		d, ok := s.take()
		if !ok {
			return nil
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(d.Body))
		if err != nil {
			return fmt.Errorf("send webhooks: %w", err)
		}
		req.Header = d.Header.Clone()
		status := 0
		if res, err := client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			status = res.StatusCode
		}
		s.RecordDelivery(d.ID, status)
	}
}

// outcome is what GitHub's log shows, if it shows the attempt yet.
func (s *Sim) outcome(d *delivery) (status int, text string, known bool) {
	switch {
	case d.ended && d.status == 0:
		return 0, "failed to connect to host", true
	case d.ended && d.status < 300:
		return d.status, "OK", true
	case d.ended:
		return d.status, "Invalid HTTP Response: " + strconv.Itoa(d.status), true
	case !d.taken.IsZero() && s.now().Sub(d.taken) >= answerWithin:
		return 0, "timed out", true
	}
	return 0, "", false
}

func (s *Sim) deliveryObj(d *delivery) obj {
	code, text, _ := s.outcome(d)
	o := obj{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.At), "redelivery": d.Redelivery, "duration": 0.12,
		"status": text, "status_code": code, "event": d.Event, "action": orNil(d.Action),
		"installation_id": nil, "repository_id": nil, "throttled_at": nil,
	}
	if d.InstallationID != 0 {
		o["installation_id"] = d.InstallationID
	}
	if d.RepositoryID != 0 {
		o["repository_id"] = d.RepositoryID
	}
	return o
}

// logged: attempts under way and attempts older than three days are not shown.
func (s *Sim) logged(d *delivery) bool {
	_, _, known := s.outcome(d)
	return known && s.now().Sub(d.At) <= logWindow
}

// listDeliveries shows newest first. Connection errors have status code 0 and
// so are in neither status=success nor status=failure.
func listDeliveries(c *call) {
	var all []*delivery
	var keys []string
	for _, d := range slices.Backward(c.deliveries) {
		code, _, _ := c.outcome(d)
		switch want := c.query.Get("status"); {
		case !c.logged(d),
			want == "success" && (code < 200 || code >= 400),
			want == "failure" && code < 400:
			continue
		}
		all = append(all, d)
		keys = append(keys, strconv.FormatInt(d.ID, 10))
	}
	from := 0
	if cur := c.query.Get("cursor"); cur != "" {
		// The cursor is the first of its page, so that new deliveries do not
		// shift the pages under somebody's feet.
		if from = slices.Index(keys, strings.TrimPrefix(cur, "v1_")); from < 0 {
			c.fail(422, "Invalid cursor")
			return
		}
	}
	to := min(len(all), from+c.perPage())
	if to < len(all) {
		c.header.Set("Link", c.link("next", map[string]string{"cursor": "v1_" + keys[to]}))
	}
	out := []any{}
	for _, d := range all[from:to] {
		out = append(out, c.deliveryObj(d))
	}
	c.reply(200, out)
}

// delivery finds {delivery_id} as long as the log keeps it.
func (c *call) delivery() *delivery {
	for _, d := range c.deliveries {
		if d.ID == c.int("delivery_id") && c.logged(d) {
			return d
		}
	}
	c.notFound()
	return nil
}

// getDelivery shows the payload again: embargoed text stays on GitHub's side
// for three days, for whoever owns the App.
func getDelivery(c *call) {
	d := c.delivery()
	if d == nil {
		return
	}
	o, headers := c.deliveryObj(d), obj{}
	for k := range d.Header {
		headers[k] = d.Header.Get(k)
	}
	o["url"] = ""
	o["request"] = obj{"headers": headers, "payload": json.RawMessage(d.Body)}
	o["response"] = obj{"headers": obj{}, "payload": ""}
	c.reply(200, o)
}

// attemptDelivery answers 202, which go-github reports as an error.
func attemptDelivery(c *call) {
	if d := c.delivery(); d != nil {
		c.again(d)
		c.reply(http.StatusAccepted, obj{})
	}
}
