package hub

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// TroubleKind is what to do about a call that failed.
type TroubleKind string

// The kinds of trouble.
const (
	Again     TroubleKind = "again"     // GitHub or the network failed: try again
	Limited   TroubleKind = "limited"   // not before Until
	Refused   TroubleKind = "refused"   // GitHub will not do this; a person must look
	Gone      TroubleKind = "gone"      // the thing is not there, or no longer ours to see
	Suspended TroubleKind = "suspended" // the installation is suspended or was removed
)

// Trouble is the error of every call. Its text never holds a body.
type Trouble struct {
	Kind   TroubleKind
	Until  time.Time // Limited, Suspended: not before; Again: not before, if GitHub says so
	Status int       // HTTP status, 0 if there was no answer
	Sent   bool      // it may have reached GitHub
	Err    error

	blind bool // Limited, and GitHub did not say for how long
}

func (t *Trouble) Error() string { return t.Err.Error() }
func (t *Trouble) Unwrap() error { return t.Err }

// As takes the trouble out of an error; anything else is a failure to try again.
func As(err error) *Trouble {
	if t := (*Trouble)(nil); errors.As(err, &t) {
		return t
	}
	return &Trouble{Kind: Again, Sent: true, Err: err}
}

// IsFinal reports whether GitHub has said no, and would say so again: trying once more changes nothing.
func IsFinal(err error) bool {
	kind := As(err).Kind
	return err != nil && (kind == Gone || kind == Refused)
}

// IsGone reports whether the thing asked for is not there.
func IsGone(err error) bool { return err != nil && As(err).Kind == Gone }

// Waiting times where GitHub names none. Source: GitHub's documentation on rate limits, "wait for
// at least one minute".
const (
	waitLimited   = time.Minute
	waitSuspended = time.Minute
)

// waitMost is how long a time that GitHub names is believed: its longest limit is an hour's.
const waitMost = 2 * time.Hour

// classify is the one place that decides what an error means.
func classify(err error, now time.Time) *Trouble {
	if err == nil {
		return nil
	}
	if token := (*ghinstallation.HTTPError)(nil); errors.As(err, &token) {
		return tokenTrouble(token, now)
	}
	if primary := (*github.RateLimitError)(nil); errors.As(err, &primary) {
		return limited(primary.Response, primary.Rate.Reset.Time, now)
	}
	if secondary := (*github.AbuseRateLimitError)(nil); errors.As(err, &secondary) {
		return limited(secondary.Response, time.Time{}, now)
	}
	if answer := (*github.ErrorResponse)(nil); errors.As(err, &answer) && answer.Response != nil {
		return answerTrouble(answer, now)
	}
	switch {
	case errors.Is(err, errElsewhere):
		return &Trouble{Kind: Refused, Err: errElsewhere}
	case errors.Is(err, context.Canceled):
		return &Trouble{Kind: Again, Sent: true, Err: errors.New("interrupted")}
	default:
		return &Trouble{Kind: Again, Sent: true, Err: errors.New("no answer from GitHub: " + reason(err))}
	}
}

// reason gives the innermost error: the outer ones repeat the address of the call.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// limited is a call too many. reset is when the hour ends, if that is known otherwise.
func limited(r *http.Response, reset, now time.Time) *Trouble {
	t := &Trouble{Kind: Limited, Until: reset, Status: http.StatusForbidden, Err: errors.New("GitHub's rate limit")}
	if r != nil {
		if at := retryAfter(r, now); !at.IsZero() {
			t.Until = at
		}
	}
	if !t.Until.After(now) {
		t.Until, t.blind = now.Add(waitLimited), true
	}
	if most := now.Add(waitMost); t.Until.After(most) {
		t.Until = most
	}
	return t
}

// tokenTrouble: no token for the installation.
func tokenTrouble(e *ghinstallation.HTTPError, now time.Time) *Trouble {
	if e.Response == nil {
		return &Trouble{Kind: Again, Err: errors.New("no token: no answer from GitHub")}
	}
	defer e.Response.Body.Close()
	status := e.Response.StatusCode
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		return &Trouble{Kind: Suspended, Until: now.Add(waitSuspended), Status: status, Err: errors.New("the App is not installed there any more")}
	case isLimit(e.Response, ""):
		return limited(e.Response, time.Time{}, now)
	case status == http.StatusForbidden:
		return &Trouble{Kind: Suspended, Until: now.Add(waitSuspended), Status: status, Err: errors.New("the installation is suspended")}
	default:
		return &Trouble{Kind: Again, Until: retryAfter(e.Response, now), Status: status, Err: errors.New("no token: " + e.Response.Status)}
	}
}

// isLimit tells a limit from other refusals, by what GitHub's documentation says and by its words.
func isLimit(r *http.Response, text string) bool {
	switch r.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return r.Header.Get("Retry-After") != "" || r.Header.Get("X-RateLimit-Remaining") == "0" || strings.Contains(text, "rate limit") ||
			strings.Contains(text, "submitted too quickly")
	case http.StatusUnprocessableEntity:
		return strings.Contains(text, "submitted too quickly")
	default:
		return false
	}
}

func answerTrouble(e *github.ErrorResponse, now time.Time) *Trouble {
	status := e.Response.StatusCode
	t := &Trouble{Status: status, Sent: true, Err: errors.New(strings.TrimSpace(e.Response.Status + ": " + message(e)))}
	text := strings.ToLower(e.Message)
	switch {
	case isLimit(e.Response, text):
		return limited(e.Response, time.Time{}, now)
	case status == http.StatusForbidden && strings.Contains(text, "suspended"):
		t.Kind, t.Until = Suspended, now.Add(waitSuspended)
	case status == http.StatusNotFound, status == http.StatusGone:
		t.Kind = Gone
	case status == http.StatusUnauthorized, status == http.StatusConflict, status == http.StatusRequestTimeout, status >= 500:
		t.Kind, t.Until = Again, retryAfter(e.Response, now)
	default:
		t.Kind = Refused
	}
	return t
}

// message is GitHub's own sentence with the names of wrong fields. Values are left out: they may
// be what we sent.
func message(e *github.ErrorResponse) string {
	out, _, _ := strings.Cut(e.Message, "\n")
	if strings.ContainsAny(out, "\"`'") {
		out = "" // it quotes something
	}
	for _, f := range e.Errors {
		if f.Field != "" {
			out += " (" + f.Field + " " + f.Code + ")"
		}
	}
	if len(out) > 200 {
		out = out[:200]
	}
	return out
}

// retryAfter is when GitHub says to come again, in any of its three ways; zero if it does not.
func retryAfter(r *http.Response, now time.Time) time.Time {
	after := r.Header.Get("Retry-After")
	if n, err := strconv.Atoi(after); err == nil {
		return now.Add(time.Duration(min(max(n, 0), int(waitMost/time.Second))) * time.Second)
	}
	if at, err := http.ParseTime(after); err == nil {
		return at
	}
	if r.Header.Get("X-RateLimit-Remaining") == "0" {
		if n, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return time.Unix(n, 0)
		}
	}
	return time.Time{}
}
