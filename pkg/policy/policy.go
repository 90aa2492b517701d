// Package policy reads what a project wrote in its disclosure.yml: strictly, with every mistake
// at its line and column, and with the policy of pyca/cryptography as the default.
package policy

import (
	"time"

	"github.com/heed-app/heed/pkg/promise"
)

// A Policy is a project's vulnerability-disclosure policy. Its YAML form is fixed by the contract
// (section 4); every field here is filled in, from the file or from the defaults.
type Policy struct {
	Team         []string // slugs of the owner's teams whose members may command
	Tracker      string   // "owner/name" of the private repository for case issues; "" without one
	Coordinators []string // logins, taken in turn as assignee of new cases
	Package      Package
	Intake       Intake
	Public       PublicReports
	Promises     Promises
	Embargo      Embargo
	Release      Release
	Bundles      []Bundle
	Notify       []Notify
	Wording      map[string]string // name of a text to the repository path of its replacement
	Approvals    int               // different maintainers needed for publish and make-public
	Mode         Mode
	Retain       time.Duration // how long a closed case is kept; 0: for good
}

// Package is what scanners know the project as.
type Package struct{ Ecosystem, Name string }

// Intake is how reports arrive.
type Intake struct {
	FallbackContact string // named when private reporting is off
	Scopes          map[string]Scope
}

// Scope is a part of the project with rules of its own, such as its infrastructure.
type Scope struct {
	Hosts []string
	CVE   string // "", "never"
}

// Measure is one thing done about a report that was filed in public.
type Measure string

// The measures of contract section 4.
const (
	Blank    Measure = "blank"
	Advisory Measure = "advisory"
	Reply    Measure = "reply"
	Close    Measure = "close"
	Label    Measure = "label"
	Lock     Measure = "lock"
)

// Watch is a public place that is read.
type Watch string

// The places that can be watched.
const (
	Issues       Watch = "issues"
	Comments     Watch = "comments"
	PullRequests Watch = "pull_requests"
	Discussions  Watch = "discussions"
)

// PublicReports says what is done about reports filed where everybody reads them.
type PublicReports struct {
	Watch      []Watch
	Confident  []Measure
	Suspect    []Measure
	Labels     Labels
	Threshold  Threshold
	Exempt     []string // logins
	Vocabulary []string // words that mean nothing in this project
}

// Labels are set in public only if named here.
type Labels struct{ Redirected, Contact, Dependency, Spam string }

// Threshold holds calibrated probabilities between 0 and 1.
type Threshold struct{ Confident, Suspect float64 }

// Promises are the clocks and how they ring.
type Promises struct {
	Rules      []promise.Rule                           // by Kind; a promise that is not made is absent
	BySeverity map[string]map[promise.Kind]promise.Span // "critical", "high", "medium", "low"
	EscalateTo []string                                 // "@login" or "@org/team"
	PauseLimit time.Duration
}

// Rule returns the rule of one kind.
func (p Promises) Rule(k promise.Kind) (promise.Rule, bool) {
	for _, r := range p.Rules {
		if r.Kind == k {
			return r, true
		}
	}
	return promise.Rule{}, false
}

// Embargo is how long a report stays private at most, and who hears before the public.
type Embargo struct {
	Within    time.Duration
	Prenotify time.Duration // 0: nobody
}

// Release says what an accepted report ends in.
type Release struct {
	Branches   []string // supported branches
	Releases   int      // supported most recent releases
	Checklist  string   // "default" or a path in the repository
	Announce   []string
	Visibility string   // "private" or "placeholder"
	Verify     []string // github, osv, pypi, cve
	Tags       string   // pattern of release tags with one "*" for the version; "" = the version with or without "v"
}

// Bundle is a library that the project ships inside its artefacts.
type Bundle struct {
	Name, Upstream, Tags string
	OpenOn               []string // security, bugfix
}

// Notify is a channel besides GitHub. It never carries report text.
type Notify struct{ Kind, URLFrom string }

// Mode is how far Heed may go on its own.
type Mode string

// The modes of contract section 4.
const (
	Act     Mode = "act"
	Approve Mode = "approve"
	DryRun  Mode = "dry-run"
)

// A Mistake is something wrong in a policy file: where, what, and how to mend it.
type Mistake struct {
	File         string
	Line, Column int // 1-based
	Message      string
	Fix          string // what to write instead; may be empty
}
