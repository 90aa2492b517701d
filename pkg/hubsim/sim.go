// Package hubsim is a GitHub that lives in memory and is spoken to over HTTP.
//
// Tests and `heed demo` run against it. It shares no type with the rest of
// Heed, because a mistake made on both sides of the wire would hide itself.
// It is as unkind as GitHub: edits keep a readable history, arrays replace,
// tokens expire, webhooks are sent once, an empty list may mean a missing
// permission. On top of that it watches laws (see laws.go) which GitHub does
// not enforce but Heed promises; broken ones are listed by [Sim.Violations].
//
// Nothing in it looks at the wall clock, and equal acts give equal ids, so a
// story played twice gives the same bytes.
package hubsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// obj is a JSON object on its way out. Maps instead of structs: GitHub's
// objects are wide, and their nulls matter as much as their values.
type obj = map[string]any

// App is the GitHub App that the simulated GitHub knows about.
type App struct {
	ID            int64
	Slug          string // its bot writes as "<slug>[bot]"
	Name          string // default: Slug
	WebhookSecret string
	// Permissions are those of app.yml ("issues": "write"). Using any other is
	// a violation, whatever [Sim.SetPermissions] grants later.
	Permissions map[string]string
	// Events are those of app.yml. installation* arrive without being named.
	Events []string
	// Key signs the App's tokens; nil: New makes one (2048 bits, slow: share
	// one between the Sims of a test binary).
	Key *rsa.PrivateKey
	// AuthNow is the clock for JWTs and installation tokens; nil: the Sim's.
	// ghinstallation signs with time.Now and cannot be told otherwise, so a
	// story that plays in another year sets this to time.Now.
	AuthNow func() time.Time
}

// Sim is one GitHub. All methods may be called from any goroutine.
type Sim struct {
	// Fault, if set, is asked before every call: n counts writes from 1 and is
	// 0 for reads. Set it before the first call or use [Sim.SetFault].
	Fault func(r *http.Request, write bool, n int) Fault

	mu  sync.Mutex
	now func() time.Time
	app App
	key *rsa.PrivateKey
	bot *account
	// granted is what installations currently hold: starts as app.Permissions.
	granted map[string]string

	serial   int64
	accounts map[string]*account // by lower-case login
	repos    map[int64]*repo
	names    map[string]int64 // lower-case "owner/name" -> repo id; renames leave theirs behind
	installs []*installation
	tokens   map[string]*token
	global   []*globalAdvisory
	codes    map[string]time.Time // manifest codes and when they run out

	commentsOff bool
	routes      []*route
	log         []Call
	writes      int
	inFlight    atomic.Int64

	deliveries []*delivery
	queue      []*delivery

	outage   time.Time
	bans     map[int64]ban
	banCalls int
	usage    map[int64]*usage

	law laws
}

// New makes an empty GitHub with one App. now is its only clock.
// It panics if the system has no randomness to make a key from.
func New(now func() time.Time, app App) *Sim {
	if app.Name == "" {
		app.Name = app.Slug
	}
	if app.Key == nil {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic("hubsim: make the App's key: " + err.Error())
		}
		app.Key = k
	}
	s := &Sim{
		now: now, app: app, key: app.Key, granted: map[string]string{},
		serial:   1_000_000,
		accounts: map[string]*account{},
		repos:    map[int64]*repo{},
		names:    map[string]int64{},
		tokens:   map[string]*token{},
		codes:    map[string]time.Time{},
		bans:     map[int64]ban{},
		usage:    map[int64]*usage{},
		law:      newLaws(),
	}
	maps.Copy(s.granted, app.Permissions)
	s.bot = &account{id: s.id(), login: app.Slug + "[bot]", bot: true}
	s.accounts[fold(s.bot.login)] = s.bot
	s.routes = s.allRoutes()
	return s
}

// PrivateKey returns the App's key as GitHub hands it out: PEM, PKCS#1.
func (s *Sim) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.key)})
}

// SetPermissions changes what the installations grant, for instance to take a
// permission away. A permission that is new makes GitHub tell the App with
// installation.new_permissions_accepted; one that is gone is gone silently.
func (s *Sim) SetPermissions(p map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := false
	next := map[string]string{}
	for k, v := range p {
		more = more || !enough(s.granted[k], v)
		next[k] = v
	}
	s.granted = next
	if !more {
		return
	}
	for _, in := range s.installs {
		s.emit("installation", "new_permissions_accepted", in.owner, in.owner, nil, obj{"installation": s.installationObj(in)})
	}
}

// SetCommentsAPI switches the advisory comments API, in public preview since
// 2026-10-02, on (the default) or off. Off: its endpoints answer 404.
func (s *Sim) SetCommentsAPI(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commentsOff = !on
}

// SetWebhookSecret rotates the secret that signs webhooks from now on.
func (s *Sim) SetWebhookSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app.WebhookSecret = secret
}

// id gives out numbers that are unique over all kinds of things, so that a
// comment's number taken for an issue's is found out.
func (s *Sim) id() int64 {
	s.serial++
	return s.serial
}

func (s *Sim) authNow() time.Time {
	if s.app.AuthNow != nil {
		return s.app.AuthNow()
	}
	return s.now()
}

func fold(s string) string { return strings.ToLower(s) }

// stamp is GitHub's time format: UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNil is null for the zero time.
func stampOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// orNil is null for the empty string.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
