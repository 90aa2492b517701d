package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heed-app/heed/pkg/hubsim"
)

// A tale is one way in which a report, or what is none, comes in and goes on. People tell it chapter
// by chapter; how it must end is written down by hand, and compared with what GitHub shows then.
type tale struct {
	name     string
	secret   bool // its words must never be read in public, or in clear on our disk
	chapters []chapter
	end      string
}

// A chapter is what somebody does, as soon as what he needs for it is there.
type chapter struct {
	ready func(telling) bool
	act   func(telling) error
}

// A report is a tale being told in one organisation.
type report struct {
	tale
	org      string
	word     string // is in all of its texts, and in no other's
	issue    int
	ghsa     string
	commands []int64
	told     int // chapters
}

// telling is a report in its GitHub.
type telling struct {
	*hubsim.Sim
	*report
}

func (r *report) repo() string    { return r.org + "/web" }
func (r *report) tracker() string { return r.org + "/cases" }

const (
	leakTitle    = "SQL injection in the search field %s lets anyone read the user table"
	leakText     = "The parameter q is not escaped (%s). An attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure, CVSS 9.8."
	leakAgain    = "The parameter q of /find is put into the query too (%s). An attacker can use it to drop table users. SQL injection with full impact. PoC: ' ; drop table users--"
	leakMore     = "Here is a second proof of concept for the SQL injection (%s): an attacker sends `q=x' or sleep(10)--` and reads the password hashes one by one, without authentication. The impact is critical, CVSS 9.8, all versions are vulnerable."
	leakComment  = "There is an SQL injection in this search (%s): the parameter q is not escaped, and an attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure of the database, CVSS 9.8, all versions are affected."
	suspectTitle = "Settings page %s opens without login"
	suspectText  = "I opened the settings in a second tab and was not asked to log in (%s). Is this intended?"
)

// private is told in private, and open in public.
func private(r telling) (err error) {
	r.ghsa, err = r.Report("rea", r.repo(), "Overflow "+r.word, "A deadly header, "+r.word+".")
	return err
}

func opens(login, title, body string) func(telling) error {
	return func(r telling) (err error) {
		r.issue, err = r.OpenIssue(login, r.repo(), strings.ReplaceAll(title, "%s", r.word), strings.ReplaceAll(body, "%s", r.word))
		return err
	}
}

func edits(login, title, body string) func(telling) error {
	return func(r telling) error {
		return r.EditIssue(login, r.repo(), r.issue, strings.ReplaceAll(title, "%s", r.word), strings.ReplaceAll(body, "%s", r.word))
	}
}

func comments(login, body string) func(telling) error {
	return func(r telling) error {
		_, err := r.CommentIssue(login, r.repo(), r.issue, strings.ReplaceAll(body, "%s", r.word))
		return err
	}
}

// bids is a maintainer's word on the public issue.
func bids(body string) func(telling) error {
	return func(r telling) error {
		id, err := r.CommentIssue("mia", r.repo(), r.issue, body)
		r.commands = append(r.commands, id)
		return err
	}
}

// orders is a maintainer's word in the tracker.
func orders(body string) func(telling) error {
	return func(r telling) error {
		id, err := r.CommentIssue("mia", r.tracker(), r.tracked()[0], body)
		r.commands = append(r.commands, id)
		return err
	}
}

func says(body string) func(telling) error {
	return func(r telling) error {
		_, err := r.CommentAdvisory("mia", r.repo(), r.ghsa, body)
		return err
	}
}

func now(telling) bool                       { return true }
func isTracked(r telling) bool               { return len(r.tracked()) > 0 }
func isHidden(r telling) bool                { return !strings.Contains(r.text(), r.word) }
func isMovedAway(r telling) bool             { return isHidden(r) && isTracked(r) }
func begins(act func(telling) error) chapter { return chapter{now, act} }

// tracked returns the issues in the tracker that speak of the report, oldest first.
func (r telling) tracked() []int {
	var out []int
	for _, n := range r.Issues("lea", r.tracker()) {
		i, _ := r.Issue(r.tracker(), n)
		ours := r.issue != 0 && strings.HasPrefix(i.Title, fmt.Sprintf("%s#%d:", r.repo(), r.issue)) ||
			slices.ContainsFunc(r.advisories(), func(a hubsim.AdvisoryView) bool { return strings.HasSuffix(i.Title, a.GHSA) })
		if ours {
			out = append(out, n)
		}
	}
	return out
}

// advisories returns those that hold a text of the report.
func (r telling) advisories() []hubsim.AdvisoryView {
	var out []hubsim.AdvisoryView
	for _, ghsa := range r.Advisories(r.repo()) {
		if a, _ := r.AdvisoryOf(r.repo(), ghsa); strings.Contains(a.Summary+a.Description, r.word) {
			out = append(out, a)
		}
	}
	return out
}

// text is what the public reads on the issue now.
func (r telling) text() string {
	text, err := r.SeeIssue("public", r.repo(), r.issue)
	if err != nil {
		return err.Error()
	}
	return text
}

// ours counts our comments.
func ours(cs []hubsim.CommentView) (n int) {
	for _, c := range cs {
		if c.Author == "heed[bot]" {
			n++
		}
	}
	return n
}

// describe says in a few lines what GitHub shows of a report: how often each effect was done.
func (r telling) describe() string {
	b := &strings.Builder{}
	b.WriteString("\n")
	if i, ok := r.Issue(r.repo(), r.issue); ok {
		hidden := map[bool]string{true: "hidden", false: "open to all"}[isHidden(r)]
		fmt.Fprintf(b, "issue: %s, %s, labels %v, replies %d\n", i.State, hidden, i.Labels, ours(i.Comments))
	}
	for _, a := range r.advisories() {
		kept := 0
		for _, c := range a.Comments {
			if c.Author == "heed[bot]" && strings.Contains(c.Body, r.word) {
				kept++
			}
		}
		fmt.Fprintf(b, "advisory: %s, for %v %v, said %d, kept %d\n", a.State, a.Collaborators, a.Teams, ours(a.Comments)-kept, kept)
	}
	for _, n := range r.tracked() {
		i, _ := r.Issue(r.tracker(), n)
		_, title, _ := strings.Cut(i.Title, ": ")
		title = strings.TrimSpace(ghsaName.ReplaceAllString(title, ""))
		answered := map[bool]string{true: ", answered"}[strings.Contains(i.Body, "| **Answered** |")]
		fmt.Fprintf(b, "tracker: %s, %s, %d assigned, said %d%s\n", title, i.State, len(i.Assignees), ours(i.Comments), answered)
	}
	for _, id := range r.commands {
		fmt.Fprintf(b, "command: %v\n", r.reactions(id))
	}
	return b.String()
}

// endsWell compares; in one tale chance decides what is read first.
func (r *report) endsWell(got string) bool {
	if before, after, either := strings.Cut(r.end, "0 or 1"); either {
		return got == before+"0"+after || got == before+"1"+after
	}
	return got == r.end
}

func (r telling) reactions(id int64) []string {
	all := [][]hubsim.CommentView{}
	if i, ok := r.Issue(r.repo(), r.issue); ok {
		all = append(all, i.Comments)
	}
	for _, n := range r.tracked() {
		i, _ := r.Issue(r.tracker(), n)
		all = append(all, i.Comments)
	}
	for _, c := range slices.Concat(all...) {
		if c.ID == id {
			return c.Reactions
		}
	}
	return []string{"no such comment"}
}
