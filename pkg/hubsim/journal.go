package hubsim

import (
	"regexp"
	"slices"
	"time"
)

// Call is one request and its answer. Credentials are not in it: headers are
// left out, and minted tokens are blotted out of the answer.
type Call struct {
	At          time.Time
	Method      string
	Path        string // as asked, percent-encoded
	Query       string
	Route       string // "PATCH /repos/{owner}/{repo}/issues/{issue_number}"; "" if there is no such endpoint
	RequestBody []byte
	Status      int // what GitHub answered, also when the answer got lost
	Response    []byte
	Write       bool
	// Installation is 0 for calls by the App's JWT and by strangers.
	Installation int64
	Fault        Fault
}

// Journal returns every call so far, in the order in which GitHub saw them.
func (s *Sim) Journal() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *Sim) record(c *call, write bool, f Fault) {
	e := Call{
		At: s.now(), Method: c.r.Method, Path: c.r.URL.EscapedPath(), Query: c.r.URL.RawQuery,
		RequestBody: c.raw, Status: c.status, Response: c.bytes, Write: write, Installation: c.caller(), Fault: f,
	}
	if c.rt != nil {
		e.Route = c.rt.name()
		if c.rt.auth != asInstallation { // where tokens and keys are handed out
			secret := regexp.MustCompile(`"(token|pem|client_secret|webhook_secret)":"[^"]*"`)
			e.Response = secret.ReplaceAll(c.bytes, []byte(`"$1":"[redacted]"`))
		}
	}
	s.log = append(s.log, e)
}
