package disclosure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/heed-app/heed/pkg/promise"
)

// A Repo is a repository on GitHub. Its ID survives renames and transfers; the names do not.
type Repo struct {
	ID          int64
	Owner, Name string
}

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// Kind says how a case came to us.
type Kind string

// The kinds of cases.
const (
	PrivateReport Kind = "private-report" // through private vulnerability reporting
	PublicReport  Kind = "public-report"  // an issue that is confidently a report
	PublicComment Kind = "public-comment" // a comment that is confidently a report
	Suspect       Kind = "suspect"        // an issue or comment that might be one; people decide
	Contact       Kind = "contact"        // asks for a private channel
	Dependency    Kind = "dependency"     // a public CVE in a dependency
	Spam          Kind = "spam"           // phishing dressed as an alert
	PolicyTrouble Kind = "policy-trouble" // the policy file of a repository has mistakes
	Errand        Kind = "errand"         // an answer to a command where there is no case
)

// State is where a case stands.
type State string

// The states of a case.
const (
	Received State = "received" // nobody has decided anything
	Accepted State = "accepted" // it is a vulnerability; a release is owed
	Closed   State = "closed"   // nothing is owed any more
)

// Outcome is why a case was closed.
type Outcome string

// The outcomes.
const (
	Declined    Outcome = "declined"
	Released    Outcome = "released"
	NotSecurity Outcome = "not security"
	Dismissed   Outcome = "closed on GitHub"
	Told        Outcome = "told" // contact requests, spam: one line said, nothing owed
	Mended      Outcome = "mended"
)

// Acknowledgement is a person's answer to a report. The zero value is none.
type Acknowledgement struct {
	By  string // login; "" when GitHub does not tell who acted
	At  time.Time
	How string // "comment", "command", "accepted", "closed"
}

// A Case is one report on its way from the first word to the public advisory.
type Case struct {
	ID           int64 // 0: not stored yet
	Installation int64
	Repo         Repo
	Kind         Kind
	State        State
	Outcome      Outcome
	Reason       string // why declined
	Opened       time.Time
	Reporter     string // login
	Coordinator  string // login
	Ack          Acknowledgement
	Clocks       []promise.Clock
	Wake         time.Time // the earliest moment at which anything is due; zero when closed

	GHSA          string
	AdvisoryURL   string
	AdvisoryState string // GitHub's: triage, draft, published, closed, withdrawn
	CVE           string
	Severity      string
	Version       string    // the version that carries the fix, once known
	Tag           string    // the release that carried it
	Released      []string  // tags published since the acceptance
	Drafted       bool      // the advisory is a draft that we opened
	DraftBlock    string    // names our block in it
	CommentsSeen  time.Time // advisory comments are known up to here
	Updated       time.Time // of the advisory, as we know it

	Issue     int   // public issue, 0 if none
	Comment   int64 // public comment that is the report, 0 if none
	IssueURL  string
	Title     Embargoed // as its author wrote it
	Body      Embargoed
	Notice    Text      // what stands there instead
	Blanks    int       // how often title and body were blanked
	Blanked   time.Time // when they were blanked last
	Exposed   time.Time // since when the text stood open
	Measures  []string  // what the policy asked for when the case was opened
	WeClosed  bool
	WeLocked  bool
	Label     string     // label that we set in public
	Moved     []string   // measures that did not succeed, as sentences for the tracker
	Kept      []KeptText // further texts that stood open and are not on the advisory yet
	WasClosed bool       // the issue was closed before we came
	WasLocked bool       // and locked
	HadLabel  bool       // and bore our label
	History   History
	Held      bool      // maintainers were asked; nothing was done yet
	Ruled     bool      // a maintainer said that it is a report, whatever the detector thinks of it
	PutBack   Embargoed // what a maintainer put back in public
	Obeyed    []int64   // comments on issues whose commands were taken up

	Team         []string // "@org/team", to be mentioned in private places
	EscalateTo   []string
	PauseLimit   time.Duration
	BySeverity   map[string]map[promise.Kind]promise.Span
	Mode         string // the policy's when the case was opened
	Tracker      Repo   // private repository of the case's issue; zero without one
	TrackerIssue int
	Unsaid       []string       // what waited for the tracker issue when an older version wrote the case
	Waiting      []Unsaid       // waits for the tracker issue to be there
	Untold       []string       // for the reporter; waits for the draft to be there
	Inviting     bool           // what follows the draft waits until its people were added
	Invited      bool           // the reporter can see the draft
	Status       string         // status block as it was decided last
	Uses         map[string]int // how often each kind of effect was decided
	ReleaseIssue int
	ReleaseAsked bool
	Tasks        []Task
	Said         []string // answers to the last commands, shown on the advisory
	StatusShown  bool     // the advisory has, or will have, our status comment
	StatusText   string
	StatusID     int64
	Trouble      string
	Mistakes     string        // PolicyTrouble: what was told
	Listen       time.Time     // closed: the reporter's answers are heard until then
	Look         time.Time     // when to look again at a case of which nothing is due
	Retain       time.Duration // how long texts are kept once the case is closed; 0: for good
	EraseAt      time.Time     // when they are erased; zero while the case is open
	Erased       bool
}

// Clone shares nothing with the case that can be changed in place.
func (c Case) Clone() Case {
	c.Clocks, c.Tasks, c.Kept, c.Waiting = slices.Clone(c.Clocks), slices.Clone(c.Tasks), slices.Clone(c.Kept), slices.Clone(c.Waiting)
	c.Released, c.Measures, c.Moved, c.Team = slices.Clone(c.Released), slices.Clone(c.Measures), slices.Clone(c.Moved), slices.Clone(c.Team)
	c.EscalateTo, c.Unsaid, c.Untold, c.Said = slices.Clone(c.EscalateTo), slices.Clone(c.Unsaid), slices.Clone(c.Untold), slices.Clone(c.Said)
	c.Obeyed, c.Uses, c.BySeverity = slices.Clone(c.Obeyed), maps.Clone(c.Uses), maps.Clone(c.BySeverity)
	return c
}

// WithoutTexts is the case without what its reporter wrote. What happened, when and by whom stays.
func (c Case) WithoutTexts() Case {
	c.Title, c.Body, c.PutBack, c.Kept = Embargoed{}, Embargoed{}, Embargoed{}, nil
	c.Unsaid, c.Waiting, c.Untold = nil, nil, nil // they may quote it
	c.Erased, c.EraseAt = true, time.Time{}
	return c
}

// Unsaid is a comment that could not be made yet. Of a slot only the newest is wanted.
type Unsaid struct{ Slot, Text string }

// KeptText is a text that stood in public.
type KeptText struct {
	Text
	Key string // of the effect that puts it on the advisory, "" while there is none
}

// History is the readable edit history that blanking leaves behind.
type History struct {
	Open      bool // strangers can still read the old text
	Reminders int
	Next      time.Time // of the next reminder
}

// A Task is one line of the release checklist.
type Task struct {
	ID, Text string
	Key      string // names the task all over Heed: its hidden mark in the list
	Done     bool
	Note     string // the fact that ticked it
}

// Ref is a name under which a case is found again: an advisory, an issue, a comment.
type Ref string

// RefAdvisory names an advisory of a repository. GitHub gives advisories no numeric id.
func RefAdvisory(repo int64, ghsa string) Ref { return Ref(fmt.Sprintf("advisory/%d/%s", repo, ghsa)) }

// RefIssue names an issue of a repository: the report itself, or an issue in the tracker.
func RefIssue(repo int64, number int) Ref { return Ref(fmt.Sprintf("issue/%d/%d", repo, number)) }

// RefComment names a comment on an issue.
func RefComment(repo, id int64) Ref { return Ref(fmt.Sprintf("comment/%d/%d", repo, id)) }

// RefAside names what was answered or told about comments of an issue.
func RefAside(repo int64, issue int) Ref { return Ref(fmt.Sprintf("aside/%d/%d", repo, issue)) }

// RefHeld names the last comment of an issue about which people are to decide.
func RefHeld(repo int64, issue int) Ref { return Ref(fmt.Sprintf("held/%d/%d", repo, issue)) }

// RefErrand names a comment that commanded something where there was no case.
func RefErrand(repo, id int64) Ref { return Ref(fmt.Sprintf("errand/%d/%d", repo, id)) }

// RefPolicy names the policy file of a repository, which may be known by name only.
func RefPolicy(r Repo) Ref { return Ref("policy/" + strings.ToLower(r.String())) }

// Refs returns every name of the case.
func (c Case) Refs() []Ref {
	var refs []Ref
	switch c.Kind {
	case PolicyTrouble:
		refs = append(refs, RefPolicy(c.Repo))
	case Errand:
		return []Ref{RefErrand(c.Repo.ID, c.Comment)}
	case PrivateReport, PublicReport, PublicComment, Suspect, Contact, Dependency, Spam:
	}
	if c.GHSA != "" {
		refs = append(refs, RefAdvisory(c.Repo.ID, c.GHSA))
	}
	switch {
	case c.Comment != 0 && (c.Kind == Contact || c.Kind == Spam):
		refs = append(refs, RefAside(c.Repo.ID, c.Issue)) // one answer an issue, however many ask
	case c.Comment != 0:
		refs = append(refs, RefComment(c.Repo.ID, c.Comment))
		if c.Held {
			refs = append(refs, RefHeld(c.Repo.ID, c.Issue))
		}
	case c.Issue != 0:
		refs = append(refs, RefIssue(c.Repo.ID, c.Issue))
	}
	for _, n := range []int{c.TrackerIssue, c.ReleaseIssue} {
		if n != 0 {
			refs = append(refs, RefIssue(c.Tracker.ID, n))
		}
	}
	return refs
}

// Retold reports whether most of the report stands in a text: of all of it, or of what is below the title.
func (c Case) Retold(text string) bool {
	title, body := c.Title.Reveal(), c.Body.Reveal()
	return Share(title+"\n"+body, text) > .5 || len(body) >= substance && Share(body, text) > .5
}

// substance is how many bytes of a body tell something without its title.
const substance = 24

// Share is how much of a text stands in another, from 0 to 1. It compares runs of letters and digits, which people
// write in every language, and not words, between which some leave no space.
func Share(text, other string) float64 {
	all, known := runs(text), runs(other)
	again := 0
	for r := range all {
		if known[r] {
			again++
		}
	}
	return float64(again) / float64(max(1, len(all)))
}

// runs are the pieces of a text that Share compares.
func runs(text string) map[string]bool {
	const length = 6 // shorter ones stand in any long text
	var letters []rune
	for _, r := range strings.ToLower(text) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters = append(letters, r)
		}
	}
	out := map[string]bool{}
	for i := range letters {
		if i == 0 || i+length <= len(letters) {
			out[string(letters[i:min(i+length, len(letters))])] = true
		}
	}
	return out
}

// Open reports whether anything is still owed.
func (c Case) Open() bool { return c.State != Closed }

// Clock returns the clock of one promise, or nil.
func (c *Case) Clock(k promise.Kind) *promise.Clock {
	for i := range c.Clocks {
		if c.Clocks[i].Rule.Kind == k {
			return &c.Clocks[i]
		}
	}
	return nil
}
