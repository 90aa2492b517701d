package disclosure

import "time"

// Audience is who can read what an effect writes.
type Audience string

// The audiences, from the most open to the least.
const (
	Public    Audience = "public"    // everybody
	Reporters Audience = "reporters" // the reporter and the advisory's other collaborators
	Trackers  Audience = "trackers"  // readers of the private tracker
	Nobody    Audience = "nobody"    // nothing readable is written: reactions, locks, collaborators
)

// Action is what an effect does to GitHub.
type Action string

// The actions.
const (
	EditIssue       Action = "edit-issue"       // title, body, state of somebody else's issue
	OpenIssue       Action = "open-issue"       // in the tracker
	EditBlock       Action = "edit-block"       // the status block of our own issue
	TickTasks       Action = "tick-tasks"       // boxes of our own checklist
	SetIssue        Action = "set-issue"        // assignee or state of our own issue
	CommentIssue    Action = "comment-issue"    //
	DeleteComment   Action = "delete-comment"   //
	React           Action = "react"            // to a comment on an issue
	AddLabel        Action = "add-label"        //
	RemoveLabel     Action = "remove-label"     //
	Lock            Action = "lock"             //
	Unlock          Action = "unlock"           //
	OpenAdvisory    Action = "open-advisory"    // a draft
	EditAdvisory    Action = "edit-advisory"    // single fields
	Invite          Action = "invite"           // collaborators of an advisory
	CommentAdvisory Action = "comment-advisory" //
	EditStatus      Action = "edit-status"      // our status comment on an advisory, made if absent
)

// An Effect is one thing to do to the outside world. The key makes it happen once.
type Effect struct {
	Key      string // unique, such as "case/17:receipt"
	Case     int64
	Action   Action
	Audience Audience
	Urgent   bool   // shortens exposure: goes before everything else
	Mark     string // the hidden mark that it wears; "" where there is no place for one
	Slot     string // a newer effect of the same slot replaces an unfinished older one

	Repo      Repo
	Number    int   // issue
	Comment   int64 // comment on an issue, or on an advisory
	GHSA      string
	Title     string
	Body      string
	Secret    Embargoed // text under embargo, after Body; refused when the audience is the public
	SecretTop Embargoed // title under embargo, instead of Title

	Expect   *Text  // EditIssue: act only while this is what stands there
	State    string // open, closed; for advisories draft, closed
	Why      string // state_reason
	Labels   []string
	People   []string // assignees, collaborators
	Teams    []string
	Credit   string // login credited as reporter
	Severity string // level or CVSS vector
	Package  Package
	From     string // EditAdvisory: State is set only from this state; "": from any
	Strip    string // EditAdvisory: key of a block to take out of the description
	Ticks    []Task
	Reaction string
}

// Package is what scanners know a project as.
type Package struct{ Ecosystem, Name string }

// Text is the title and body of an issue.
type Text struct{ Title, Body Embargoed }

// A Receipt is what GitHub answered to an effect.
type Receipt struct {
	ID     int64 // comment
	Number int   // issue
	GHSA   string
	URL    string
	At     time.Time
	Note   string // what was different from what was asked
}

// A Line is one line of a case's history. It never holds text of a report.
type Line struct {
	At   time.Time
	By   string
	Text string
}
