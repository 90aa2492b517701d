package flow

import (
	"fmt"

	"github.com/heed-app/heed/pkg/disclosure"
)

// contact: somebody asks how to report in private. They are told; one line goes to the tracker.
func (s *step) contact() {
	s.start(disclosure.Contact, s.e.At)
	s.place()
	s.note(s.c.Reporter, "asked for a private channel")
	s.label(s.w.Policy.Public.Labels.Contact)
	s.do("contact", disclosure.Effect{Action: disclosure.CommentIssue, Audience: disclosure.Public, Number: s.c.Issue, Body: s.words("contact", s.data())})
	s.line("contact-tracker", fmt.Sprintf("%s#%d: asks for a private channel", s.c.Repo, s.c.Issue))
	s.done()
}

// label sets a label if the policy names one.
func (s *step) label(name string) {
	if name != "" {
		s.do("label", disclosure.Effect{Action: disclosure.AddLabel, Audience: disclosure.Public, Number: s.c.Issue, Labels: []string{name}})
	}
}

// done: people were told, and nothing is owed.
func (s *step) done() { s.c.State, s.c.Outcome = disclosure.Closed, disclosure.Told }

// line tells the maintainers one thing, in an issue that needs no further care.
func (s *step) line(text, title string) {
	if s.c.Tracker.ID != 0 {
		s.do("line", disclosure.Effect{Action: disclosure.OpenIssue, Audience: disclosure.Trackers, Repo: s.c.Tracker, Title: title, Body: s.words(text, s.data())})
	}
}

func (s *step) labelOnly(kind disclosure.Kind, label string) {
	if label == "" {
		return
	}
	s.start(kind, s.e.At)
	s.place()
	s.note("", "labelled")
	s.label(label)
	s.done()
}

func (s *step) spam() {
	s.start(disclosure.Spam, s.e.At)
	s.place()
	s.note("", "looks like phishing dressed as an alert")
	if s.c.Comment == 0 {
		s.label(s.w.Policy.Public.Labels.Spam)
	}
	s.line("spam-tracker", fmt.Sprintf("%s#%d: phishing?", s.c.Repo, s.c.Issue))
	s.done()
}
