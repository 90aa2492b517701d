package flow

import (
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
	"github.com/heed-app/heed/pkg/wording"
)

// policyRead: the policy file was read. Its mistakes have one issue in the tracker, kept current
// and closed when the file is mended.
func (s *step) policyRead() {
	text := s.e.Mistakes
	switch {
	case s.c.Kind == "" && text != "":
		s.start(disclosure.PolicyTrouble, s.now)
		s.c.Mistakes = text
		s.note("", "the policy file has mistakes")
		if s.c.Tracker.ID != 0 {
			s.do("tracker", disclosure.Effect{
				Action: disclosure.OpenIssue, Audience: disclosure.Trackers, Repo: s.c.Tracker,
				Title: "Mistakes in the disclosure policy of " + s.c.Repo.String(), Body: mark.Block(s.key("status"), s.mistakes()),
			})
		}
		s.c.Status = s.mistakes()
	case s.c.Kind != "" && text != "" && text != s.c.Mistakes:
		s.c.Mistakes = text
		if s.c.State == disclosure.Closed {
			s.c.State, s.c.Outcome = disclosure.Received, ""
			s.setTrackerState("open")
		}
	case s.c.Kind != "" && text == "" && s.c.State != disclosure.Closed:
		s.c.Mistakes = ""
		s.end(disclosure.Mended)
	}
}

func (s *step) mistakes() string {
	d := s.data()
	d.Text, d.Quoted = "Until it is corrected, the last good one stays in force; where there is none, the built-in one.", wording.CodeBlock(s.c.Mistakes)
	if s.c.Mistakes == "" {
		return "The disclosure policy of " + s.c.Repo.String() + " is correct again. Thank you."
	}
	return s.words("policy-trouble", d)
}
