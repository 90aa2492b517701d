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
	Until  time.Time // Limited, Suspended: not before
	Status int       // HTTP status, 0 if there was no answer
	Sent   bool      // it may have reached GitHub
	Err    error
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

// IsGone reports whether the thing asked for is not there.
func IsGone(err error) bool { return err != nil && As(err).Kind == Gone }

// Waiting times where GitHub names none. Source: GitHub's documentation on rate limits, "wait for
// at least one minute".
const (
	waitLimited   = time.Minute
	waitSuspended = time.Minute
)

// classify is the one place that decides what an error means.
func classify(err error, now time.Time) *Trouble {
	if err == nil {
		return nil
	}
	if primary := (*github.RateLimitError)(nil); errors.As(err, &primary) {
		return limited(primary.Rate.Reset.Time, now, "GitHub's rate limit is used up")
	}
	if secondary := (*github.AbuseRateLimitError)(nil); errors.As(err, &secondary) {
		return limited(now.Add(secondary.GetRetryAfter()), now, "GitHub's secondary rate limit")
	}
	if token := (*ghinstallation.HTTPError)(nil); errors.As(err, &token) {
		return tokenTrouble(token, now)
	}
	if answer := (*github.ErrorResponse)(nil); errors.As(err, &answer) && answer.Response != nil {
		return answerTrouble(answer, now)
	}
	if errors.Is(err, context.Canceled) {
		return &Trouble{Kind: Again, Sent: true, Err: errors.New("interrupted")}
	}
	return &Trouble{Kind: Again, Sent: true, Err: errors.New("no answer from GitHub: " + reason(err))}
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

func limited(until, now time.Time, why string) *Trouble {
	if !until.After(now) {
		until = now.Add(waitLimited)
	}
	return &Trouble{Kind: Limited, Until: until, Status: http.StatusForbidden, Err: errors.New(why)}
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
	case status == http.StatusForbidden && e.Response.Header.Get("Retry-After") == "" && e.Response.Header.Get("X-RateLimit-Remaining") != "0":
		return &Trouble{Kind: Suspended, Until: now.Add(waitSuspended), Status: status, Err: errors.New("the installation is suspended")}
	case status == http.StatusForbidden || status == http.StatusTooManyRequests:
		return limited(retryAfter(e.Response, now), now, "GitHub's rate limit")
	default:
		return &Trouble{Kind: Again, Status: status, Err: errors.New("no token: " + e.Response.Status)}
	}
}

func answerTrouble(e *github.ErrorResponse, now time.Time) *Trouble {
	status := e.Response.StatusCode
	t := &Trouble{Status: status, Sent: true, Err: errors.New(strings.TrimSpace(e.Response.Status + ": " + message(e)))}
	text := strings.ToLower(e.Message)
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && e.Response.Header.Get("Retry-After") != "",
		status == http.StatusForbidden && e.Response.Header.Get("X-RateLimit-Remaining") == "0",
		status == http.StatusForbidden && strings.Contains(text, "rate limit"):
		return limited(retryAfter(e.Response, now), now, "GitHub's rate limit")
	case status == http.StatusForbidden && strings.Contains(text, "suspended"):
		t.Kind, t.Until = Suspended, now.Add(waitSuspended)
	case status == http.StatusNotFound, status == http.StatusGone:
		t.Kind = Gone
	case status == http.StatusUnauthorized, status == http.StatusConflict, status == http.StatusRequestTimeout, status >= 500:
		t.Kind = Again
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

func retryAfter(r *http.Response, now time.Time) time.Time {
	if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil {
		return now.Add(time.Duration(n) * time.Second)
	}
	if r.Header.Get("X-RateLimit-Remaining") == "0" {
		if n, err := strconv.ParseInt(r.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return time.Unix(n, 0)
		}
	}
	return time.Time{}
}
