package hubsim

import (
	"errors"
	"fmt"
)

// Report sends the private form of a public repository. The reporter becomes
// collaborator with a pending credit. Returns the new GHSA id.
func (s *Sim) Report(login, repo, title, body string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, r, err := s.act(login, repo, read)
	switch {
	case err != nil:
		return "", err
	case r.private || !r.pvr:
		return "", fmt.Errorf("private reporting is off on %s", repo)
	case title == "" || body == "":
		return "", errors.New("title and description can't be blank")
	}
	a := s.newAdvisory(who, r, "triage", title, body)
	s.reported(who, a)
	return a.ghsa, nil
}

// OpenDraft is a maintainer's own advisory. No webhook tells of it.
func (s *Sim) OpenDraft(login, repo, title, body string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, r, err := s.act(login, repo, admin)
	if err != nil {
		return "", err
	}
	if r.private {
		return "", fmt.Errorf("%s is private", repo)
	}
	a := s.newAdvisory(who, r, "draft", title, body)
	a.vulns = []any{vulnObj(obj{"package": obj{"ecosystem": "other", "name": r.name}})}
	return a.ghsa, nil
}

// onAdvisory finds an advisory for somebody who acts on it.
func (s *Sim) onAdvisory(login, repo, ghsa string, atLeast int) (*account, *advisory, error) {
	who, r, err := s.act(login, repo, read)
	if err != nil {
		return nil, nil, err
	}
	a := r.advisory(ghsa)
	switch {
	case a == nil || r.private:
		return nil, nil, errors.New("404")
	case s.access(who, a) >= atLeast:
		return who, a, nil
	case s.access(who, a) == none && a.state != "published":
		return nil, nil, errors.New("404")
	}
	return nil, nil, fmt.Errorf("%s has not the rights for that on %s", login, ghsa)
}

// CommentAdvisory needs access to the advisory; a published one is closed to
// comments. No webhook tells of it.
func (s *Sim) CommentAdvisory(login, repo, ghsa, body string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, a, err := s.onAdvisory(login, repo, ghsa, write)
	if err != nil {
		return 0, err
	}
	return s.commentAdvisory(who, a, body)
}

func (s *Sim) commentAdvisory(who *account, a *advisory, body string) (int64, error) {
	if a.state == "published" {
		return 0, errors.New("a published advisory is closed to comments")
	}
	if body == "" {
		return 0, errors.New("body can't be blank")
	}
	c := &comment{id: s.id(), author: who, body: body, created: s.now(), updated: s.now()}
	a.comments = append(a.comments, c)
	s.wrote(who, advisoryCommentPlace(a, c), "", body)
	return c.id, nil
}

// ConfidentialComment is for people with write access to the repository, to
// write as to read. REST never shows it.
func (s *Sim) ConfidentialComment(login, repo, ghsa, body string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, a, err := s.onAdvisory(login, repo, ghsa, write)
	if err != nil {
		return 0, err
	}
	if s.level(who, a.repo) < write {
		return 0, fmt.Errorf("%s has no write access to %s", login, repo)
	}
	id, err := s.commentAdvisory(who, a, body)
	if err == nil {
		a.comments[len(a.comments)-1].confidential = true
	}
	return id, err
}

// EditAdvisoryComment changes a person's own comment.
func (s *Sim) EditAdvisoryComment(login, repo, ghsa string, id int64, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, a, err := s.onAdvisory(login, repo, ghsa, write)
	if err != nil {
		return err
	}
	for _, c := range a.comments {
		if c.id == id && (c.author == who || s.access(who, a) == admin) {
			s.reviseAdvisoryComment(who, a, c, body)
			return nil
		}
	}
	return errors.New("404")
}

// DeleteAdvisoryComment is possible on the page only. The reporter, having
// write on the advisory, may delete anybody's.
func (s *Sim) DeleteAdvisoryComment(login, repo, ghsa string, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, a, err := s.onAdvisory(login, repo, ghsa, write)
	if err != nil {
		return err
	}
	for n, c := range a.comments {
		if c.id == id {
			a.comments = append(a.comments[:n:n], a.comments[n+1:]...)
			s.unwrote(advisoryCommentPlace(a, c))
			return nil
		}
	}
	return errors.New("404")
}

func (s *Sim) reviseAdvisoryComment(who *account, a *advisory, c *comment, body string) {
	before := c.body
	if who == s.bot && c.author != s.bot {
		s.violate("human text: the App edited comment %d of %s on %s", c.id, c.author.login, a.ghsa)
	}
	c.edits = s.revise(c.edits, c.author, who, before, body, c.created)
	c.body, c.updated = body, s.now()
	s.wrote(who, advisoryCommentPlace(a, c), before, body)
}

// AcceptAdvisory is "Accept and open as draft"; admins only, no webhook.
func (s *Sim) AcceptAdvisory(login, repo, ghsa string) error {
	return s.moveAdvisory(login, repo, ghsa, "draft")
}

// CloseAdvisory closes a report or draft; admins only, no webhook.
func (s *Sim) CloseAdvisory(login, repo, ghsa string) error {
	return s.moveAdvisory(login, repo, ghsa, "closed")
}

// PublishAdvisory publishes a draft for good; admins only.
func (s *Sim) PublishAdvisory(login, repo, ghsa string) error {
	return s.moveAdvisory(login, repo, ghsa, "published")
}

func (s *Sim) moveAdvisory(login, repo, ghsa, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, a, err := s.onAdvisory(login, repo, ghsa, admin)
	if err != nil {
		return err
	}
	return s.setAdvisoryState(who, a, state)
}

// EditAdvisory changes the text; collaborators may, and so the reporter. No
// webhook.
func (s *Sim) EditAdvisory(login, repo, ghsa, summary, description string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, a, err := s.onAdvisory(login, repo, ghsa, write)
	if err != nil {
		return err
	}
	before := a.summary + "\n" + a.description
	a.summary, a.description, a.updated = summary, description, s.now()
	s.wrote(who, advisoryPlace(a), before, summary+"\n"+description)
	return nil
}

// SetPatched fills in the patched version of the first affected package on
// the page. No webhook.
func (s *Sim) SetPatched(repo, ghsa, version string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.lookup(repo)
	if err != nil {
		return err
	}
	a := r.advisory(ghsa)
	if a == nil {
		return errors.New("404")
	}
	a.vulns = []any{vulnObj(obj{"package": obj{"ecosystem": "other", "name": r.name}, "patched_versions": version})}
	a.updated = s.now()
	return nil
}

// AcceptCredit is the credited person saying yes. No webhook.
func (s *Sim) AcceptCredit(login, repo, ghsa string) error {
	return s.answerCredit(login, repo, ghsa, "accepted")
}

// DeclineCredit is the credited person saying no. No webhook.
func (s *Sim) DeclineCredit(login, repo, ghsa string) error {
	return s.answerCredit(login, repo, ghsa, "declined")
}

func (s *Sim) answerCredit(login, repo, ghsa, answer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, r, err := s.act(login, repo, read)
	if err != nil {
		return err
	}
	if a := r.advisory(ghsa); a != nil {
		for _, c := range a.credits {
			if c.who == who {
				c.state, a.updated = answer, s.now()
				return nil
			}
		}
	}
	return errors.New("404")
}

// AssignCVE is GitHub's CNA answering a request, some days later. No webhook.
func (s *Sim) AssignCVE(repo, ghsa, cve string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.lookup(repo)
	if err != nil {
		return err
	}
	a := r.advisory(ghsa)
	if a == nil {
		return errors.New("404")
	}
	a.cve, a.updated = cve, s.now()
	return nil
}
