// Package flow decides. Step is the whole brain: it takes a case, something that happened, and
// what GitHub said about the world just now, and gives the case as it is afterwards with what is
// to be done. It performs no I/O and knows no clock. Each file is one chapter of a case's life.
package flow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

// Kind says what happened.
type Kind string

// The kinds of events.
const (
	AdvisorySeen   Kind = "advisory"         // reported, published, or found by the sweep
	AdvisorySaid   Kind = "advisory-comment" // somebody commented on the advisory
	IssueSeen      Kind = "issue"            // opened, edited, or read again
	CommentSeen    Kind = "comment"          // on a public issue
	Commanded      Kind = "command"          // slash commands
	ReleaseSeen    Kind = "release"          // a full release was published
	ChecklistSeen  Kind = "checklist"        // somebody edited our release checklist
	Woke           Kind = "wake"             // a moment has come
	Landed         Kind = "landed"           // an effect was done
	Laid           Kind = "parked"           // an effect was refused and laid aside
	HistoryCleared Kind = "history"          // the edit history of a blanked issue can no longer be read
	PolicyRead     Kind = "policy"           // the policy file was read
)

// An Event is something that happened. Which fields are set depends on the kind.
type Event struct {
	Kind         Kind
	At           time.Time // when it happened, by GitHub's clock
	Installation int64
	Repo         disclosure.Repo
	Actor        Actor
	Issue        Issue
	Public       *Issue // Commanded: the public issue as it reads now, where that matters
	Comment      Comment
	Advisory     Advisory
	Reading      detect.Reading
	Commands     []command.Command
	Place        command.Place
	Tag          string
	Effect       disclosure.Effect
	Receipt      disclosure.Receipt
	Reason       string
	Gone         bool   // Laid: GitHub says that the thing was deleted
	First        bool   // a text as it was delivered: there was no case yet when it was read
	Reread       bool   // the text changed between the decision and the act
	Mistakes     string // what is wrong with the policy file; "" when nothing is
	Formerly     string // the owner's login before, when the account was renamed
}

// Actor is who did it. The engine asked GitHub about the rights just before.
type Actor struct {
	Login      string
	Maintainer bool // may command; the reporter of the case is taken out here, not there
}

// Issue is a public issue, or ours in the tracker.
type Issue struct {
	Number  int
	URL     string
	Author  string
	Title   disclosure.Embargoed
	Body    disclosure.Embargoed
	Closed  bool
	Locked  bool
	Labels  []string
	Created time.Time
}

// Comment is a comment on an issue or on an advisory.
type Comment struct {
	ID     int64
	URL    string
	Author string
	Body   disclosure.Embargoed
}

// Advisory is what GitHub says of a repository security advisory.
type Advisory struct {
	GHSA, URL, State string
	Reporter         string
	Created          time.Time
	Submitted        bool // came through private vulnerability reporting
	Accepted         bool // the maintainers accepted it there
	CVE, Severity    string
	Patched          string   // patched versions of the first affected package
	Credited         []string // logins that accepted a credit
	Updated          time.Time
}

// World is what is true apart from the case: the time, the policy, and GitHub's answers.
type World struct {
	Now     time.Time
	Policy  policy.Policy
	Words   wording.Words
	Secret  []byte // of the installation, keys the public marks
	WebURL  string // https://github.com
	Tracker disclosure.Repo
	Trouble string   // why there is no usable tracker, for operators
	PVR     bool     // private vulnerability reporting is switched on
	Tags    []string // full releases of the repository, newest first
	Turn    int64    // counts the reports of the repository, to take coordinators in turn
}

// A Decision is what is to be written down and done, all of it or nothing.
type Decision struct {
	Case    disclosure.Case
	Lines   []disclosure.Line
	Effects []disclosure.Effect
	Cancel  []string // slots whose unfinished effects are no longer wanted
	Ruling  *Ruling  // nil: nobody ruled
}

// A Ruling is a maintainer's word about a public text: whether it is a report. The detector learns
// how good it is from these.
type Ruling struct {
	Security    bool
	Title, Body disclosure.Embargoed // what he ruled about; a comment has no title
}

// Nothing reports whether there is nothing to write down: no case, and no wish for one.
func (d Decision) Nothing() bool { return d.Case.Kind == "" }

// Step decides. A case that does not exist yet is the zero Case with its future ID.
func Step(c disclosure.Case, e Event, w World) Decision {
	s := &step{c: c.Clone(), e: e, w: w, now: w.Now.UTC()} // a Case is a value; the one that came in stays as it was
	if c.Kind != "" && e.Repo.ID != 0 && e.Repo.ID == c.Repo.ID {
		s.c.Repo = e.Repo // renamed or transferred
		if e.Installation != 0 {
			s.c.Installation = e.Installation // installed again
		}
	}
	if e.Formerly != "" {
		s.ownerRenamed(e.Formerly, e.Repo.Owner)
	}
	switch e.Kind {
	case AdvisorySeen:
		s.advisorySeen()
	case AdvisorySaid:
		s.advisorySaid()
	case IssueSeen:
		s.issueSeen()
	case CommentSeen:
		s.commentSeen()
	case Commanded:
		s.commanded()
	case ReleaseSeen:
		s.released()
	case ChecklistSeen:
		s.checklistSeen()
	case Woke:
		s.woke()
	case Landed:
		s.landed()
	case Laid:
		s.laid()
	case HistoryCleared:
		s.historyCleared()
	case PolicyRead:
		s.policyRead()
	}
	for _, slot := range s.cancel {
		s.dropUnsaid(slot)
	}
	if s.c.Kind != "" {
		s.settle()
	}
	return Decision{Case: s.c, Lines: s.lines, Effects: s.effects, Cancel: s.cancel, Ruling: s.ruling}
}

// ownerRenamed: the account has another login, and with it all that belongs to it.
func (s *step) ownerRenamed(old, now string) {
	for _, r := range []*disclosure.Repo{&s.c.Repo, &s.c.Tracker} {
		if strings.EqualFold(r.Owner, old) {
			r.Owner = now
		}
	}
	for _, list := range [][]string{s.c.Team, s.c.EscalateTo} {
		for i, who := range list {
			if owner, team, ok := strings.Cut(strings.TrimPrefix(who, "@"), "/"); ok && strings.EqualFold(owner, old) {
				list[i] = "@" + now + "/" + team
			}
		}
	}
}

// step is one run of Step: the case being changed, and what has been decided so far.
type step struct {
	c       disclosure.Case
	e       Event
	w       World
	now     time.Time
	lines   []disclosure.Line
	effects []disclosure.Effect
	cancel  []string
	ruling  *Ruling
	mute    bool // what is decided is old news for the reporter
}

// note adds a line to the history. It must never hold text of a report.
func (s *step) note(by, format string, args ...any) {
	s.lines = append(s.lines, disclosure.Line{At: s.now, By: by, Text: fmt.Sprintf(format, args...)})
}

func (s *step) key(name string) string { return fmt.Sprintf("case/%d:%s", s.c.ID, name) }

// again makes a name for something that may be done more than once: name, name:2, name:3 …
func (s *step) again(name string) string {
	if s.c.Uses == nil {
		s.c.Uses = map[string]int{}
	}
	s.c.Uses[name]++
	if n := s.c.Uses[name]; n > 1 {
		return fmt.Sprintf("%s:%d", name, n)
	}
	return name
}

// do adds an effect. It gets its key, the mark of its place, and its repository. A name with a colon
// names what it answers to, and that is done once; any other name is numbered when it comes again.
func (s *step) do(name string, e disclosure.Effect) {
	if !strings.Contains(name, ":") {
		name = s.again(name)
	}
	e.Key, e.Case = s.key(name), s.c.ID
	if e.Repo == (disclosure.Repo{}) {
		e.Repo = s.c.Repo
	}
	switch e.Action {
	case disclosure.OpenIssue, disclosure.CommentIssue, disclosure.CommentAdvisory, disclosure.EditStatus:
		e.Mark = mark.Private(e.Key)
		if e.Audience == disclosure.Public {
			e.Mark = mark.Public(s.w.Secret, e.Key)
		}
	default: // no place for a mark: done by reading first
	}
	if e.Audience == disclosure.Public && (!e.Secret.IsZero() || !e.SecretTop.IsZero()) && e.Expect == nil {
		panic("embargoed text in a public effect: " + e.Key)
	}
	s.effects = append(s.effects, e)
}

// tell writes to the reporter on the advisory. Where there is none, the maintainers are asked to carry the
// words.
func (s *step) tell(name, text string) {
	switch {
	case s.mute || s.c.AdvisoryState == published: // the conversation is over
	case s.c.GHSA != "":
		s.do(name, disclosure.Effect{Action: disclosure.CommentAdvisory, Audience: disclosure.Reporters, GHSA: s.c.GHSA, Body: text})
	case s.c.Drafted: // the draft is being opened
		s.c.Untold = append(s.c.Untold, text)
	default:
		s.undelivered(text, "there is no private conversation with them")
	}
}

// say writes to the maintainers: in the tracker, or without one on the advisory.
func (s *step) say(name, slot, text string) {
	switch {
	case s.c.TrackerIssue != 0:
		s.do(name, disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Trackers, Slot: slot, Repo: s.c.Tracker, Number: s.c.TrackerIssue, Body: text})
	case s.c.Tracker.ID != 0:
		s.dropUnsaid(slot)
		s.c.Waiting = append(s.c.Waiting, disclosure.Unsaid{Slot: slot, Text: text}) // the issue is being opened
	case s.c.GHSA != "" && s.c.AdvisoryState != "published":
		s.do(name, disclosure.Effect{Action: disclosure.CommentAdvisory, Audience: disclosure.Reporters, Slot: slot, GHSA: s.c.GHSA, Body: text})
	}
}

// dropUnsaid takes back what waits to be said in a slot.
func (s *step) dropUnsaid(slot string) {
	s.c.Waiting = slices.DeleteFunc(s.c.Waiting, func(u disclosure.Unsaid) bool { return slot != "" && u.Slot == slot })
}

// sayAll says what waited for the tracker.
func (s *step) sayAll() {
	old, waiting := s.c.Unsaid, s.c.Waiting
	s.c.Unsaid, s.c.Waiting = nil, nil
	for _, text := range old {
		s.say("unsaid", "", text)
	}
	for _, u := range waiting {
		s.say("unsaid", u.Slot, u.Text)
	}
}

// start sets up what all cases have in common.
func (s *step) start(kind disclosure.Kind, opened time.Time) {
	p := s.w.Policy
	s.c.Installation, s.c.Repo, s.c.Kind, s.c.State = s.e.Installation, s.e.Repo, kind, disclosure.Received
	s.c.Opened, s.c.Tracker = opened.UTC(), s.w.Tracker
	s.c.EscalateTo, s.c.PauseLimit = p.Promises.EscalateTo, p.Promises.PauseLimit
	s.c.BySeverity, s.c.Mode, s.c.Retain = p.Promises.BySeverity, string(p.Mode), p.Retain
	for _, t := range p.Team {
		s.c.Team = append(s.c.Team, "@"+s.e.Repo.Owner+"/"+t)
	}
	if n := int64(len(p.Coordinators)); n > 0 {
		s.c.Coordinator = p.Coordinators[s.w.Turn%n]
	}
	s.c.Trouble = s.w.Trouble
}

// promises starts the clocks that the policy makes run from the report on. They are copied: a
// policy changed later counts for later cases.
func (s *step) promises() {
	for _, r := range s.w.Policy.Promises.Rules {
		k := promise.Clock{Rule: r, Start: s.c.Opened}
		if r.Kind == promise.Acknowledge && !s.c.Ack.At.IsZero() {
			k.Stop(s.c.Ack.At) // a person answered before it was known to be a report
		}
		s.c.Clocks = append(s.c.Clocks, k)
	}
}

// settle brings everything up to date that follows from the case alone: clocks, the status in the
// tracker and on the advisory, the next moment.
func (s *step) settle() {
	if s.c.State == disclosure.Closed {
		s.stopClocks()
		if s.c.Outcome != disclosure.Declined && s.c.Outcome != disclosure.Dismissed {
			s.c.History.Open = false // it is public anyway, or never was a secret
		}
	}
	switch {
	case s.c.State != disclosure.Closed:
		s.c.EraseAt = time.Time{}
	case s.c.EraseAt.IsZero() && s.c.Retain > 0 && !s.c.Erased:
		s.c.EraseAt = s.now.Add(s.c.Retain)
	}
	s.showStatus()
	s.c.Wake = s.nextWake()
}

// stopClocks ends every promise: a closed case keeps none waiting.
func (s *step) stopClocks() {
	for i := range s.c.Clocks {
		s.c.Clocks[i].Stop(s.now)
	}
}

// review is how often an open case of which nothing is due is looked at all the same, so that no
// case can be forgotten.
const review = 30 * 24 * time.Hour

func (s *step) nextWake() time.Time {
	if s.c.State == disclosure.Closed {
		s.c.Look = time.Time{}
		next := time.Time{}
		if s.c.Listen.After(s.now) {
			next = s.c.Listen
		}
		if h := s.c.History; h.Open && (next.IsZero() || h.Next.Before(next)) {
			next = h.Next
		}
		return next
	}
	if !s.c.Look.After(s.now) {
		s.c.Look = s.now.Add(review)
	}
	next := s.c.Look
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for _, k := range s.c.Clocks {
		earlier(k.Next())
		if !k.Paused.IsZero() && s.c.PauseLimit > 0 {
			earlier(k.Paused.Add(s.c.PauseLimit))
		}
	}
	if s.c.History.Open {
		earlier(s.c.History.Next)
	}
	return next
}
