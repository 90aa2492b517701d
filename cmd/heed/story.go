package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// The places of the story.
const (
	project = "acme/web"
	tracker = "acme/security-cases" // private

	reaCase, eveCase, releaseList = 1, 2, 3 // issues in the tracker
)

const demoPolicy = `version: 1
team: security
tracker: acme/security-cases
coordinators: [mia, sam]
promises:
  escalate_to: ["@acme/leads"]
release:
  announce: [oss-security@lists.openwall.com]
`

const (
	reaTitle = "Stack overflow in the header parser"
	reaBody  = "A request with 40,000 nested header folds makes the parser call itself until the server falls over. One request is enough, and no login is needed."
	eveTitle = "SQL injection in the search field lets anyone read the user table"
	eveBody  = "The parameter q of /search is put into the query without escaping, so an attacker can read every password hash. Proof of concept:\n\n" +
		"    curl 'https://acme.example/?q=%27%20union%20select%20password--'\n\nAffected: 1.4.0 and before. CVSS 9.8."
)

// secrets are words that the App must never make public. The made-up GitHub watches.
func secrets() []string { return []string{"40,000 nested header folds", "union%20select%20password"} }

// story tells all chapters, one after the other.
func (d *demo) story(ctx context.Context) error {
	d.opening()
	if err := d.pause(ctx, 3*time.Second); err != nil {
		return err
	}
	for i, c := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"A private report", d.report},
		{"A leak", d.leak},
		{"Silence", d.silence},
		{"An answer", d.answer},
		{"Accepted", d.accepted},
		{"The release", d.release},
	} {
		d.chapter(i+1, c.title, d.clock.Now())
		if err := c.tell(ctx); err != nil {
			return fmt.Errorf("chapter %d, %s: %w", i+1, strings.ToLower(c.title), err)
		}
	}
	if broken := d.sim.Violations(); len(broken) > 0 {
		return errors.New("the App broke a promise: " + strings.Join(broken, "; "))
	}
	return nil
}

func (d *demo) opening() {
	fmt.Fprintf(d.out, "%s\n", d.paint(bold, "Heed: a week in one minute"))
	d.tell("GitHub, the people and the clock are made up and live in memory. The App is the real one. Nothing leaves this machine.")
	d.tell("acme/web is an open-source project. Mia and Sam are its security team, Lea owns it. They promise every reporter an answer within two days.")
	fmt.Fprintf(d.out, "\nDashboard: %s  (open it beside this window)\n", d.paint(bold, d.url))
}

// report: Rea tells only those who can mend it.
func (d *demo) report(ctx context.Context) error {
	d.tell("Rea can crash acme/web with one request. She uses GitHub's private form. At once she knows that her report has arrived, and by when a person will answer.")
	ghsa, err := d.sim.Report("rea", project, reaTitle, reaBody)
	if err != nil {
		return err
	}
	err = d.await(ctx, "Rea has her receipt and the team its issue", func() bool {
		return strings.Contains(d.words(ghsa), "a machine") && len(d.sim.Issues("mia", tracker)) == reaCase && d.has(ghsa, "security")
	})
	if err != nil {
		return err
	}
	d.show("Rea sees, below her report:", d.words(ghsa))
	if err := d.pause(ctx, 4*time.Second); err != nil {
		return err
	}
	d.show("Mia and Sam see, in their private tracker:", d.status(reaCase, 8))
	d.setCalm(20)
	return d.pause(ctx, 4*time.Second)
}

// leak: Eve does not know the private way.
func (d *demo) leak(ctx context.Context) error {
	d.tell("Eve means well but does not know the private way: she puts the whole attack into a public issue. Watch how long it stands there.")
	d.setCalm(1) // so that the tracker says how long it really was
	opened := time.Now()
	n, err := d.sim.OpenIssue("eve", project, eveTitle, eveBody)
	if err != nil {
		return err
	}
	if err := d.await(ctx, "the leak is out of sight", func() bool {
		i, _ := d.sim.Issue(project, n)
		return i.Title != eveTitle && i.Body != eveBody
	}); err != nil {
		return err
	}
	open := time.Since(opened)
	if err := d.await(ctx, "Eve is told and the team has its issue", func() bool {
		i, _ := d.sim.Issue(project, n)
		return i.State == "closed" && len(i.Comments) == 1 && len(d.sim.Issues("mia", tracker)) == eveCase
	}); err != nil {
		return err
	}
	d.show(fmt.Sprintf("Anyone sees, after %d milliseconds:", open.Milliseconds()), d.issue("", project, n))
	if err := d.pause(ctx, 6*time.Second); err != nil {
		return err
	}
	return d.rescued(ctx, n)
}

// rescued: the text of the leak is safe, and Sam does what only a person can do.
func (d *demo) rescued(ctx context.Context, n int) error {
	d.tell("Not a word is lost. A draft advisory holds the text, and Eve is in it:")
	ghsa := d.sim.Advisories(project)[1]
	if err := d.await(ctx, "the draft is complete", func() bool { return d.has(ghsa, "security") }); err != nil {
		return err
	}
	text, err := d.sim.SeeAdvisory("eve", project, ghsa)
	if err != nil {
		return err
	}
	d.show("Eve sees:", head(d.read(text), 6))
	if err := d.pause(ctx, 4*time.Second); err != nil {
		return err
	}
	d.tell("GitHub keeps the old text readable in the issue's edit history, and only a person can clear that. Heed asks until it is done. Sam does it and answers Eve.")
	d.setCalm(20)
	if err := d.sim.DeleteRevisions("sam", project, n); err != nil {
		return err
	}
	if err := d.say("sam", eveCase, "/ack Thank you, Eve. We can reproduce it."); err != nil {
		return err
	}
	if err := d.await(ctx, "Sam's answer has reached Eve", func() bool {
		return strings.Contains(d.words(ghsa), "We can reproduce it") && !strings.Contains(d.status(eveCase, 20), "still readable")
	}); err != nil {
		return err
	}
	d.show("Eve sees, below the draft:", d.words(ghsa))
	return d.pause(ctx, 4*time.Second)
}

// silence: two days go by, and the clock speaks.
func (d *demo) silence(ctx context.Context) error {
	d.tell("Back to Rea. Nobody writes a word to her. Two days go by in ten seconds, and the promise does not let itself be forgotten.")
	if err := d.pause(ctx, 2*time.Second); err != nil {
		return err
	}
	seen := 0
	look := func() {
		i, _ := d.sim.Issue(tracker, reaCase)
		for _, c := range i.Comments[seen:] {
			d.show(moment(c.CreatedAt)+", in the tracker:", head(d.said(c), 1))
		}
		seen = len(i.Comments)
	}
	if err := d.pass(ctx, demoStart().Add(49*time.Hour), 10*time.Second, look); err != nil {
		return err
	}
	if seen < 3 {
		return fmt.Errorf("there were %d reminders, not 3", seen)
	}
	d.tell("From now on it is no longer between Mia and her calendar: @acme/leads is Lea.")
	return d.pause(ctx, 4*time.Second)
}

// answer: one word from a person stops the clock.
func (d *demo) answer(ctx context.Context) error {
	ghsa := d.sim.Advisories(project)[0]
	d.tell("Mia comments one word in the tracker: /ack. The clock stops, Rea hears it from her, and the record says that it was late.")
	if err := d.say("mia", reaCase, "/ack"); err != nil {
		return err
	}
	if err := d.await(ctx, "Rea has her answer", func() bool {
		return strings.Contains(d.words(ghsa), "@mia has read") && strings.Contains(d.status(reaCase, 20), "by mia")
	}); err != nil {
		return err
	}
	d.show("Rea sees:", d.words(ghsa))
	d.show("The tracker says:", only(d.status(reaCase, 20), "State", "Received", "Answered"))
	if err := d.pause(ctx, 5*time.Second); err != nil {
		return err
	}
	return d.pass(ctx, demoStart().Add(74*time.Hour), time.Second, func() {})
}

// accepted: what is owed is written down.
func (d *demo) accepted(ctx context.Context) error {
	d.tell("Mia has reproduced it and comments /accept. What a security release owes, from backport to announcement, becomes a list that nobody has to remember.")
	if err := d.say("mia", reaCase, "/accept"); err != nil {
		return err
	}
	if err := d.await(ctx, "the release checklist is there", func() bool { return len(d.sim.Issues("mia", tracker)) == releaseList }); err != nil {
		return err
	}
	d.show("Mia and Sam see, in the tracker:", d.checklist())
	if err := d.pause(ctx, 6*time.Second); err != nil {
		return err
	}
	return d.pass(ctx, demoStart().Add(101*time.Hour), 2*time.Second, func() {})
}

// release: facts tick their lines, people the others, and nothing is owed any more.
func (d *demo) release(ctx context.Context) error {
	ghsa := d.sim.Advisories(project)[0]
	d.tell("A CVE is assigned, Rea accepts her credit, and Lea releases v1.4.1. Facts tick their own lines.")
	if err := errors.Join(
		d.sim.AssignCVE(project, ghsa, "CVE-2026-20106"), d.sim.AcceptCredit("rea", project, ghsa), d.sim.SetPatched(project, ghsa, "1.4.1"), d.sim.PublishRelease("lea", project, "v1.4.1"),
	); err != nil {
		return err
	}
	if err := d.await(ctx, "three lines are ticked", func() bool { return strings.Count(d.checklist(), "[x]") == 3 }); err != nil {
		return err
	}
	d.show("The checklist:", only(d.checklist(), "[x]"))
	if err := d.pause(ctx, 4*time.Second); err != nil {
		return err
	}
	d.tell("Mia ticks what only people can know. Then Lea publishes the advisory, and nothing is owed any more: the case closes.")
	if err := d.tickTheRest(); err != nil {
		return err
	}
	// People are slower than this loop: she has ticked before Lea looks for the button.
	if err := d.pass(ctx, d.clock.Now().Add(30*time.Minute), time.Second, func() {}); err != nil {
		return err
	}
	d.sim.AllowPublish(ghsa)
	if err := d.sim.PublishAdvisory("lea", project, ghsa); err != nil {
		return err
	}
	if err := d.await(ctx, "the case is closed", func() bool {
		i, _ := d.sim.Issue(tracker, reaCase)
		return i.State == "closed" && strings.Count(d.checklist(), "[ ]") == 0
	}); err != nil {
		return err
	}
	text, err := d.sim.SeeAdvisory("", project, ghsa)
	if err != nil {
		return err
	}
	d.show("Anyone sees:", d.read(text))
	d.show("The tracker says:", only(d.status(reaCase, 20), "State", "Received", "Answered"))
	return d.pause(ctx, 2*time.Second)
}

// tickTheRest is Mia with the mouse. The last line is not hers to tick.
func (d *demo) tickTheRest() error {
	i, _ := d.sim.Issue(tracker, releaseList)
	var b strings.Builder
	for line := range strings.Lines(i.Body) {
		if !strings.Contains(line, "Advisory published") {
			line = strings.Replace(line, "[ ]", "[x]", 1)
		}
		b.WriteString(line)
	}
	return d.sim.EditIssue("mia", tracker, releaseList, i.Title, b.String())
}

func (d *demo) say(login string, issue int, text string) error {
	_, err := d.sim.CommentIssue(login, tracker, issue, text)
	return err
}

// words is the last comment on an advisory, as its readers see it.
func (d *demo) words(ghsa string) string {
	a, _ := d.sim.AdvisoryOf(project, ghsa)
	if len(a.Comments) == 0 {
		return ""
	}
	return d.said(a.Comments[len(a.Comments)-1])
}

func (d *demo) said(c hubsim.CommentView) string { return d.read(c.Author + ": " + visible(c.Body)) }

func (d *demo) has(ghsa, team string) bool {
	a, _ := d.sim.AdvisoryOf(project, ghsa)
	return slices.Contains(a.Teams, team)
}

// issue is an issue's page; what cannot be seen is empty.
func (d *demo) issue(login, repo string, n int) string {
	text, err := d.sim.SeeIssue(login, repo, n)
	if err != nil {
		return ""
	}
	return d.read(text)
}

// status is the head of a case's page in the tracker.
func (d *demo) status(n, lines int) string { return head(d.issue("mia", tracker, n), lines) }

func (d *demo) checklist() string {
	var out []string
	for line := range strings.Lines(d.issue("mia", tracker, releaseList)) {
		if strings.HasPrefix(line, "- [") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// head is the beginning of a text: the first lines that are not blank.
func head(text string, lines int) string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			lines--
		}
		if lines < 0 {
			break
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, ""))
}

// only keeps the lines with one of the words.
func only(text string, words ...string) string {
	var out []string
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// visible leaves out what a browser does not show.
func visible(md string) string {
	for {
		before, rest, found := strings.Cut(md, "<!--")
		if !found {
			return md
		}
		_, after, _ := strings.Cut(rest, "-->")
		md = before + after
	}
}
