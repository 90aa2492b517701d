package hubsim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// laws is the book of what Heed promised and GitHub does not check:
//
//  1. nothing that the App writes lets the public read a canary before the
//     advisory that holds it is published
//  2. a hidden mark is in one object, once
//  3. no call asks for a permission that app.yml does not list
//  4. the App never edits a comment that a person wrote
//  5. the App stays below GitHub's secondary limits
//  6. the App does not publish an advisory that nobody allowed
//
// 3 and 5 are checked where GitHub checks (serve.go, faults.go).
type laws struct {
	broken   []string
	canaries []string
	// Marks by where they are now, and what marks each place wears.
	markAt map[string]string
	marks  map[string][]string
	// human holds comments that a person wrote first. They travel, as issue
	// templates are full of them and Heed copies reports word for word.
	human map[string]bool
	ours  map[string]bool
	allow map[string]bool // advisories that may be published
}

func newLaws() laws {
	return laws{
		markAt: map[string]string{}, marks: map[string][]string{},
		human: map[string]bool{}, ours: map[string]bool{}, allow: map[string]bool{},
	}
}

// Canary declares words as embargoed: text with one of them may not become
// public by the App's hand until an advisory with that word is published.
// Case matters.
func (s *Sim) Canary(words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.law.canaries = append(s.law.canaries, words...)
}

// Lift ends the embargo of words, for stories in which a person decides that
// a text is no secret (not-security, make-public).
func (s *Sim) Lift(words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.law.canaries = slices.DeleteFunc(s.law.canaries, func(w string) bool { return slices.Contains(words, w) })
}

// AllowPublish says that people agreed to publish an advisory, so that the App
// may do it.
func (s *Sim) AllowPublish(ghsa string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.law.allow[ghsa] = true
}

// Violations lists the laws broken so far, oldest first. Tests want it empty.
func (s *Sim) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.law.broken)
}

func (s *Sim) violate(format string, args ...any) {
	s.law.broken = append(s.law.broken, stamp(s.now())+" "+fmt.Sprintf(format, args...))
}

// place is an object that holds text.
type place struct {
	key    string // stays the same when things are renamed
	label  string
	public bool
}

func issuePlace(i *issue) place {
	return place{fmt.Sprintf("issue %d", i.id), i.ref(), !i.repo.private}
}

func commentPlace(i *issue, c *comment) place {
	return place{fmt.Sprintf("comment %d", c.id), fmt.Sprintf("%s comment %d", i.ref(), c.id), !i.repo.private}
}

func advisoryPlace(a *advisory) place {
	return place{"advisory " + a.ghsa, a.repo.full() + " " + a.ghsa, a.state == "published"}
}

func advisoryCommentPlace(a *advisory, c *comment) place {
	return place{fmt.Sprintf("advisory comment %d", c.id), fmt.Sprintf("%s %s comment %d", a.repo.full(), a.ghsa, c.id), false}
}

// wrote is called after every text that anybody wrote.
func (s *Sim) wrote(who *account, p place, before, after string) {
	found := regexp.MustCompile(`(?s)<!--.*?-->`).FindAllString(after, -1)
	if who != s.bot {
		for _, m := range found {
			if !s.law.ours[m] {
				s.law.human[m] = true
			}
		}
		return
	}
	if p.public {
		for _, w := range s.law.canaries {
			if strings.Contains(after, w) && !strings.Contains(before, w) && !s.published(w, p) {
				s.violate("embargo: %q became public in %s", w, p.label)
			}
		}
	}
	s.unwrote(p)
	for _, m := range found {
		if s.law.human[m] {
			continue
		}
		s.law.ours[m] = true
		switch at, taken := s.law.markAt[m]; {
		case taken && at == p.key:
			s.violate("mark: %s is twice in %s", m, p.label)
		case taken:
			s.violate("mark: %s of %s is in %s too", m, at, p.label)
		default:
			s.law.markAt[m] = p.key
			s.law.marks[p.key] = append(s.law.marks[p.key], m)
		}
	}
}

// unwrote forgets the marks of a place: it was rewritten or is gone.
func (s *Sim) unwrote(p place) {
	for _, m := range s.law.marks[p.key] {
		if s.law.markAt[m] == p.key {
			delete(s.law.markAt, m)
		}
	}
	delete(s.law.marks, p.key)
}

// published: the word stands in an advisory that everybody can read, besides
// the one that is being written.
func (s *Sim) published(word string, but place) bool {
	for _, r := range s.repos {
		for _, a := range r.advisories {
			if a.state == "published" && advisoryPlace(a).key != but.key && strings.Contains(a.summary+"\n"+a.description, word) {
				return true
			}
		}
	}
	return slices.ContainsFunc(s.global, func(g *globalAdvisory) bool {
		return strings.Contains(g.Summary+"\n"+g.Description, word)
	})
}
