// Package door takes webhooks in. It answers when a delivery is on disk, and parses nothing: what
// it lets in is thought about later.
package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/semaphore"

	"github.com/heed-app/heed/pkg/store"
)

// MaxBody is the size of the largest payload that GitHub sends. Source: GitHub's documentation,
// "payloads are capped at 25 MB".
const MaxBody = 25 << 20

// ordinaryBody is what nearly all payloads stay below, and usualBody what most do.
const (
	ordinaryBody = 1 << 20
	usualBody    = 64 << 10
)

// Door is the handler of POST /api/github/hook.
type Door struct {
	secrets [][]byte
	store   *store.Store
	now     func() time.Time
	log     *slog.Logger
	large   *semaphore.Weighted // bounds how many large bodies are read at once
	bodies  sync.Pool           // of *[]byte, room for usual ones
}

// New makes a door that accepts signatures by any of the secrets: the current one, and the
// previous one while it is being rotated. An empty first secret is an error, since anybody could
// sign with it.
func New(s *store.Store, secrets []string, now func() time.Time, log *slog.Logger) (*Door, error) {
	d := &Door{store: s, now: now, log: log, large: semaphore.NewWeighted(8), bodies: sync.Pool{New: func() any { return new([]byte) }}}
	if len(secrets) == 0 || secrets[0] == "" {
		return nil, errors.New("the webhook secret is empty")
	}
	for _, secret := range secrets {
		if secret != "" {
			d.secrets = append(d.secrets, []byte(secret))
		}
	}
	return d, nil
}

func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := d.now()
	status, reason := d.take(w, r)
	if status != http.StatusAccepted {
		d.log.InfoContext(r.Context(), "delivery refused", "status", status, "reason", reason)
		http.Error(w, reason, status)
		return
	}
	d.log.DebugContext(r.Context(), "delivery accepted", "delivery", r.Header.Get(github.DeliveryIDHeader), "event", r.Header.Get(github.EventTypeHeader), "took", d.now().Sub(start))
	w.WriteHeader(status)
}

func (d *Door) take(w http.ResponseWriter, r *http.Request) (status int, reason string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, "only POST"
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return http.StatusUnsupportedMediaType, "the content type must be application/json"
	}
	event, guid := r.Header.Get(github.EventTypeHeader), r.Header.Get(github.DeliveryIDHeader)
	if !plain(event) || !plain(guid) {
		return http.StatusBadRequest, "X-GitHub-Event and X-GitHub-Delivery are required"
	}
	signature := r.Header.Get(github.SHA256SignatureHeader)
	if signature == "" {
		return http.StatusUnauthorized, "X-Hub-Signature-256 is required"
	}
	if len(signature) != len("sha256=")+64 {
		return http.StatusUnauthorized, "the signature does not fit"
	}
	if r.ContentLength > MaxBody {
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("over %d bytes", MaxBody)
	}
	// Nobody has proved anything yet: large bodies are read a few at a time. One that finds no room is
	// refused at once; GitHub's next attempt, which the sweep asks for, finds some.
	if r.ContentLength < 0 || r.ContentLength > ordinaryBody {
		if !d.large.TryAcquire(1) {
			return http.StatusServiceUnavailable, "too much at once"
		}
		defer d.large.Release(1)
	}
	room := d.bodies.Get().(*[]byte)
	defer d.recycle(room)
	body, err := read(w, r, room)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("over %d bytes", MaxBody)
	}
	if err != nil {
		return http.StatusBadRequest, "the body ended early"
	}
	if !d.signed(signature, body) {
		return http.StatusUnauthorized, "the signature does not fit"
	}
	now := d.now()
	if err := d.store.Accept(context.WithoutCancel(r.Context()), now, store.Delivery{GUID: guid, Event: event, Received: now, Body: body}); err != nil {
		d.log.ErrorContext(r.Context(), "delivery could not be stored", "delivery", guid, "err", err)
		return http.StatusServiceUnavailable, "cannot be stored now"
	}
	return http.StatusAccepted, ""
}

// read takes in the body. Its usual length is known before, and then it needs no room of its own.
func read(w http.ResponseWriter, r *http.Request, room *[]byte) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > ordinaryBody {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	}
	*room = slices.Grow((*room)[:0], int(r.ContentLength))[:r.ContentLength]
	_, err := io.ReadFull(r.Body, *room)
	return *room, err
}

// recycle keeps the room of a usual body for the next one.
func (d *Door) recycle(room *[]byte) {
	if cap(*room) <= usualBody {
		d.bodies.Put(room)
	}
}

func isJSON(contentType string) bool {
	const kind = "application/json"
	if contentType == kind {
		return true
	}
	got, _, err := mime.ParseMediaType(contentType)
	return err == nil && got == kind
}

// signed accepts SHA-256 only, whatever go-github would allow besides.
func (d *Door) signed(signature string, body []byte) bool {
	if !strings.HasPrefix(signature, "sha256=") {
		return false
	}
	for _, secret := range d.secrets {
		if github.ValidateSignature(signature, body, secret) == nil {
			return true
		}
	}
	return false
}

// plain keeps out what GitHub never sends as a name: the events of the sweep have a dot.
func plain(s string) bool {
	return s != "" && len(s) <= 128 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}
