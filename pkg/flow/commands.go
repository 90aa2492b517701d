package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

// Reactions that answer a command.
const (
	seen    = "eyes"
	done    = "rocket"
	refused = "confused"
)

// commanded obeys the commands of one comment, if its author may command here and now.
func (s *step) commanded() {
	if s.e.Place != command.Advisory && slices.Contains(s.c.Obeyed, s.e.Comment.ID) { // webhook and sweep may both tell of it
		return
	}
	if s.c.Kind == "" && !s.takeUp() {
		return
	}
	if s.e.Place != command.Advisory {
		s.c.Obeyed = append(s.c.Obeyed, s.e.Comment.ID)
	}
	if s.e.Place == command.Public && !s.mayCommand() {
		s.react(refused) // one reaction: whoever plays with words must not cost more
		return
	}
	s.react(seen)
	var wrong []string
	for _, c := range s.e.Commands {
		problem := s.obey(c)
		switch {
		case problem != "":
			wrong = append(wrong, problem)
		case s.e.Place == command.Advisory && c.Word.Effective:
			s.sayHere(fmt.Sprintf("`%s` by @%s: done.", c.Word.Name, s.e.Actor.Login))
		}
	}
	if len(wrong) == 0 {
		s.react(done)
		return
	}
	s.react(refused)
	s.answer(strings.Join(wrong, " "))
}

func (s *step) mayCommand() bool {
	return s.e.Actor.Maintainer && !strings.EqualFold(s.e.Actor.Login, s.c.Reporter)
}

// takeUp makes a case where there is none: of a public issue, if a maintainer says that it is a
// report; else a mere errand, so that the commander gets an answer.
func (s *step) takeUp() bool {
	if s.e.Place != command.Public {
		return false
	}
	comment := s.e.Comment
	if s.e.TakesUp() {
		s.e.Comment = Comment{}
		s.start(disclosure.PublicReport, s.e.Issue.Created)
		s.place()
		s.e.Comment = comment
		s.c.Held = true // obey does the rest
		return true
	}
	s.start(disclosure.Errand, s.e.At)
	s.c.Issue, s.c.Comment = s.e.Issue.Number, comment.ID
	s.done()
	return true
}

// TakesUp reports whether the commands of an event make a case of a public issue.
func (e Event) TakesUp() bool {
	return e.Actor.Maintainer && !strings.EqualFold(e.Actor.Login, e.Issue.Author) && slices.ContainsFunc(e.Commands, func(c command.Command) bool {
		return c.Err == "" && (c.Word.Name == "redirect" || c.Word.Name == "confirm")
	})
}

// obey does what one command asks for, or says in a sentence why not.
func (s *step) obey(c command.Command) string {
	name := c.Word.Name
	if !s.mayCommand() {
		if strings.EqualFold(s.e.Actor.Login, s.c.Reporter) {
			return "The reporter of a case cannot command in it."
		}
		return "Only maintainers of " + s.c.Repo.String() + " can command here."
	}
	if c.Err != "" {
		return c.Err
	}
	switch name {
	case "help", "status":
		s.inform(name)
		return ""
	case "redirect", "confirm", "not-security":
		return s.decidePublic(name)
	}
	if s.c.State == disclosure.Closed {
		return "This case is closed (" + string(s.c.Outcome) + ")."
	}
	if s.c.Held && name != "assign" {
		return "First decide whether it is a report: `/security confirm` or `/security not-security`."
	}
	return s.obeyOpen(name, c)
}

// obeyOpen is for commands that need an open case of a report.
func (s *step) obeyOpen(name string, c command.Command) string {
	by := s.e.Actor.Login
	switch name {
	case "ack":
		return s.commandAck(c.Text)
	case "accept":
		if s.c.State == disclosure.Accepted {
			return "It was accepted already."
		}
		s.acknowledge(by, "accepted")
		s.accept(by)
	case "decline":
		return s.decline(c)
	case "need-info":
		if s.c.GHSA == "" && !s.c.Drafted {
			return "There is no private conversation with the reporter in which to ask."
		}
		s.acknowledge(by, "command")
		s.updated(s.asked())
		s.pause(s.asked())
		s.note(by, "asked the reporter; the promises pause")
		d := s.data()
		d.Text = c.Text
		if s.c.PauseLimit > 0 && s.anyPaused() {
			d.Until = wording.Time(s.asked().Add(s.c.PauseLimit))
		}
		s.tell("need-info", s.words("need-info", d))
	case "resume":
		if !s.anyPaused() {
			return "Nothing is paused."
		}
		s.resume(by)
	case "assign":
		login := strings.TrimPrefix(c.Args[0], "@")
		if !validLogin(login) {
			return "`assign` wants a login: `/security assign @login`."
		}
		s.c.Coordinator = login
		s.note(by, "made %s the coordinator", login)
		if s.c.TrackerIssue != 0 {
			s.do("assign", disclosure.Effect{Action: disclosure.SetIssue, Audience: disclosure.Nobody, Slot: "assign", Repo: s.c.Tracker, Number: s.c.TrackerIssue, People: []string{login}})
		}
	case "severity":
		return s.severity(c.Args[0])
	}
	return ""
}

// asked is when the command was written: the reporter may have answered before it was seen.
func (s *step) asked() time.Time {
	if s.e.At.IsZero() || s.e.At.After(s.now) {
		return s.now
	}
	return s.e.At.UTC()
}

func (s *step) anyPaused() bool {
	return slices.ContainsFunc(s.c.Clocks, func(k promise.Clock) bool { return !k.Paused.IsZero() })
}

func (s *step) commandAck(text string) string {
	by := s.e.Actor.Login
	if !s.c.Ack.At.IsZero() && s.c.Ack.By != by && text == "" {
		return "@" + s.c.Ack.By + " acknowledged it already."
	}
	s.acknowledge(by, "command")
	if text != "" {
		s.updated(s.now)
	}
	d := s.data()
	d.Text, d.Due = text, s.due(promise.Decide)
	if d.Due == "" {
		d.Again = cmp.Or(s.due(promise.Update), s.due(promise.Fix))
	}
	s.tell("ack", s.words("acknowledged", d))
	return ""
}

// reasons are those that a report may be declined for, with the words for the reporter.
func reasons() map[string]string {
	return map[string]string{
		"not-a-vulnerability": "it does not break a guarantee that the project gives",
		"documented":          "the behaviour is documented, with its weakness",
		"unsupported-version": "it concerns a version that is no longer supported; please upgrade",
		"out-of-scope":        "it is outside of what the project looks after",
		"cannot-reproduce":    "it could not be reproduced",
	}
}

func (s *step) decline(c command.Command) string {
	reason, ok := reasons()[strings.ToLower(c.Args[0])]
	if !ok {
		return "The reasons are " + command.Reasons() + "."
	}
	by := s.e.Actor.Login
	s.acknowledge(by, "closed")
	s.c.Reason = strings.ToLower(c.Args[0])
	s.note(by, "declined: %s", s.c.Reason)
	d := s.data()
	d.Reason, d.Text = reason, c.Text
	s.tell("declined", s.words("declined", d))
	if s.c.GHSA != "" && s.c.AdvisoryState != published {
		s.do("decline-state", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, GHSA: s.c.GHSA, State: closed})
	}
	s.end(disclosure.Declined)
	return ""
}

func (s *step) severity(arg string) string {
	level := strings.ToLower(arg)
	switch {
	case slices.Contains([]string{"low", "medium", "high", "critical"}, level):
		arg = level
	case strings.HasPrefix(arg, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(arg)
		if err != nil {
			return "That is not a valid CVSS 4.0 vector."
		}
		level = gocvssLevel(gocvss40.Rating(v.Score()))
	case strings.HasPrefix(arg, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(arg)
		if err != nil {
			return "That is not a valid CVSS 3.1 vector."
		}
		level = gocvssLevel(gocvss31.Rating(v.BaseScore()))
	default:
		return "`severity` wants low, medium, high, critical, or a CVSS 3.1 or 4.0 vector."
	}
	if s.c.GHSA == "" {
		return "This case has no advisory whose severity could be set."
	}
	s.c.Severity = level
	s.note(s.e.Actor.Login, "set the severity to %s", level)
	s.severityClocks()
	s.do("severity", disclosure.Effect{Action: disclosure.EditAdvisory, Audience: disclosure.Nobody, Slot: "severity", GHSA: s.c.GHSA, Severity: arg})
	return ""
}

// gocvssLevel makes the library's rating GitHub's word for it.
func gocvssLevel(rating string, err error) string {
	if err != nil || strings.EqualFold(rating, "none") {
		return "low"
	}
	return strings.ToLower(rating)
}

// inform answers status and help where it was asked.
func (s *step) inform(name string) {
	switch {
	case s.e.Place == command.Public:
		if name == "help" {
			s.do("help", disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Public, Number: s.c.Issue, Body: s.words("public-help", s.data())})
		}
	case s.e.Place == command.Advisory:
		s.sayHere("")
		if name == "help" {
			s.sayHere("Commands: " + strings.Join(commandNames(), ", ") + ".")
		}
	case name == "help":
		s.say("help", "", command.Help(s.e.Place))
	default:
		s.say("status-now", "", s.status())
	}
}

func commandNames() []string {
	var out []string
	for _, w := range command.Words() {
		if !w.Later {
			out = append(out, "`"+w.Name+"`")
		}
	}
	return out
}

// react answers a comment on an issue. Advisories have no reactions.
func (s *step) react(with string) {
	if s.e.Place == command.Advisory {
		return
	}
	e := disclosure.Effect{Action: disclosure.React, Audience: disclosure.Nobody, Number: s.e.Issue.Number, Comment: s.e.Comment.ID, Reaction: with}
	if s.e.Place == command.Tracker {
		e.Repo = s.c.Tracker
	}
	s.do(fmt.Sprintf("react:%d:%s", s.e.Comment.ID, with), e)
}

// answer says what was wrong, in private places only.
func (s *step) answer(problem string) {
	switch s.e.Place {
	case command.Tracker:
		d := s.data()
		d.Actor, d.Text = s.e.Actor.Login, problem
		e := disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Trackers, Repo: s.c.Tracker, Number: s.e.Issue.Number, Body: s.words("refused", d)}
		s.do(fmt.Sprintf("refused:%d", s.e.Comment.ID), e)
	case command.Advisory:
		s.sayHere("@" + s.e.Actor.Login + ": " + problem)
	case command.Public:
	}
}

// mostSaid is how many answers the status comment on an advisory keeps.
const mostSaid = 5

// sayHere adds an answer to the one status comment on the advisory.
func (s *step) sayHere(text string) {
	// Until a maintainer acts the receipt is the only thing that a machine says to a reporter.
	s.c.StatusShown = s.c.StatusShown || s.mayCommand() || !s.c.Ack.At.IsZero()
	if text != "" {
		s.c.Said = append(s.c.Said, text)
		s.c.Said = s.c.Said[max(0, len(s.c.Said)-mostSaid):]
	}
}

// validLogin follows GitHub's rule: letters, digits and single hyphens inside, 39 at most; logins that an
// enterprise manages end in an underscore and its short name.
func validLogin(s string) bool {
	if s == "" || len(s) > 39 || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") {
		return false
	}
	return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
