package hubsim

import (
	"errors"
	"fmt"
	"slices"
)

// on finds an issue for somebody who acts on it.
func (s *Sim) on(login, repo string, n int) (*account, *issue, error) {
	a, r, err := s.act(login, repo, read)
	if err != nil {
		return nil, nil, err
	}
	i := r.issues[n]
	if i == nil || i.gone() {
		return nil, nil, errors.New("404")
	}
	return a, i, nil
}

// mine: authors may do it, others need the role.
func (s *Sim) mine(a, author *account, r *repo, role int) error {
	if a == author || s.level(a, r) >= role {
		return nil
	}
	return fmt.Errorf("%s may not do that: not the author, and %s on %s", a.login, roleName(s.level(a, r)), r.full())
}

// OpenIssue returns the issue's number.
func (s *Sim) OpenIssue(login, repo, title, body string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, r, err := s.act(login, repo, read)
	if err != nil {
		return 0, err
	}
	if title == "" {
		return 0, errors.New("title can't be blank")
	}
	return s.newIssue(a, r, title, body, nil, nil).number, nil
}

// EditIssue is for authors and people with write access.
func (s *Sim) EditIssue(login, repo string, n int, title, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, i.author, i.repo, write)
	}
	if err != nil {
		return err
	}
	s.editIssue(a, i, &title, &body)
	return nil
}

// CloseIssue is for authors and triagers.
func (s *Sim) CloseIssue(login, repo string, n int) error {
	return s.humanState(login, repo, n, "closed")
}

// ReopenIssue is for authors and triagers; an author cannot reopen what a
// maintainer closed.
func (s *Sim) ReopenIssue(login, repo string, n int) error {
	return s.humanState(login, repo, n, "open")
}

func (s *Sim) humanState(login, repo string, n int, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err != nil {
		return err
	}
	author := i.author
	if state == "open" && i.closedBy != a {
		author = nil
	}
	if err := s.mine(a, author, i.repo, triage); err != nil {
		return err
	}
	s.setState(a, i, state, "")
	return nil
}

// LockIssue needs write access.
func (s *Sim) LockIssue(login, repo string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, write)
	}
	if err != nil {
		return err
	}
	s.setLock(a, i, true, "")
	return nil
}

// LabelIssue adds labels; it needs triage.
func (s *Sim) LabelIssue(login, repo string, n int, labels ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, triage)
	}
	if err != nil {
		return err
	}
	s.setLabels(a, i, append(names(i.labels), labels...))
	return nil
}

// UnlabelIssue takes labels away; it needs triage.
func (s *Sim) UnlabelIssue(login, repo string, n int, labels ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, triage)
	}
	if err != nil {
		return err
	}
	s.setLabels(a, i, slices.DeleteFunc(names(i.labels), func(x string) bool { return slices.Contains(labels, x) }))
	return nil
}

// AssignIssue makes the assignees exactly these; it needs triage.
func (s *Sim) AssignIssue(login, repo string, n int, assignees ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, triage)
	}
	if err != nil {
		return err
	}
	s.setAssignees(a, i, assignees)
	return nil
}

// DeleteIssue burns an issue with its history; admins only, UI only.
func (s *Sim) DeleteIssue(login, repo string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, admin)
	}
	if err != nil {
		return err
	}
	i.deleted = true
	s.forget(i)
	s.issueEvent("deleted", a, i, nil)
	return nil
}

// TransferIssue moves an issue with comments and history to another
// repository of the owner and returns its number there. Private to public is
// forbidden, and write access on both sides is needed.
func (s *Sim) TransferIssue(login, repo string, n int, to string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, nil, i.repo, write)
	}
	if err != nil {
		return 0, err
	}
	_, r, err := s.act(login, to, write)
	if err != nil {
		return 0, err
	}
	if r.owner != i.repo.owner || i.repo.private && !r.private || r == i.repo {
		return 0, fmt.Errorf("cannot transfer from %s to %s", repo, to)
	}
	moved := *i
	r.lastNumber++
	moved.id, moved.repo, moved.number = s.id(), r, r.lastNumber
	moved.labels = nil
	r.issues[moved.number] = &moved
	s.forget(i)
	s.issueEvent("transferred", a, i, obj{"changes": obj{"new_issue": s.issueObj(&moved), "new_repository": s.repoObj(r)}})
	i.movedTo = &moved
	s.timeline(&moved, "transferred", a, nil)
	s.emit("issues", "opened", r.owner, a, r, obj{
		"issue": s.issueObj(&moved), "changes": obj{"old_issue": s.issueObj(i), "old_repository": s.repoObj(i.repo)},
	})
	return moved.number, nil
}

// forget takes the App's texts on an issue out of the laws' books.
func (s *Sim) forget(i *issue) {
	s.unwrote(issuePlace(i))
	for _, c := range i.comments {
		s.unwrote(commentPlace(i, c))
	}
}

// CommentIssue returns the comment's id. On a locked issue only people with
// write access may speak.
func (s *Sim) CommentIssue(login, repo string, n int, body string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err != nil {
		return 0, err
	}
	if i.locked && s.level(a, i.repo) < write {
		return 0, fmt.Errorf("%s is locked", i.ref())
	}
	if body == "" {
		return 0, errors.New("body can't be blank")
	}
	return s.newComment(a, i, body).id, nil
}

// EditComment is for authors and people with write access.
func (s *Sim) EditComment(login, repo string, id int64, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, c, err := s.onComment(login, repo, id)
	if err != nil {
		return err
	}
	s.editComment(a, i, c, body)
	return nil
}

// DeleteComment is for authors and people with write access.
func (s *Sim) DeleteComment(login, repo string, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, c, err := s.onComment(login, repo, id)
	if err != nil {
		return err
	}
	s.dropComment(a, i, c)
	return nil
}

func (s *Sim) onComment(login, repo string, id int64) (*account, *issue, *comment, error) {
	a, r, err := s.act(login, repo, read)
	if err != nil {
		return nil, nil, nil, err
	}
	i, c := r.findComment(id)
	if c == nil {
		return nil, nil, nil, errors.New("404")
	}
	return a, i, c, s.mine(a, c.author, r, write)
}

// DeleteRevisions purges an issue's edit history, which GitHub offers in its
// web pages only: editor and time stay, the text goes. The timeline keeps the
// old titles.
func (s *Sim) DeleteRevisions(login, repo string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, i, err := s.on(login, repo, n)
	if err == nil {
		err = s.mine(a, i.author, i.repo, write)
	}
	if err != nil {
		return err
	}
	s.purge(i.edits, a)
	return nil
}

// DeleteCommentRevisions is DeleteRevisions for a comment on an issue.
func (s *Sim) DeleteCommentRevisions(login, repo string, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, _, c, err := s.onComment(login, repo, id)
	if err != nil {
		return err
	}
	s.purge(c.edits, a)
	return nil
}
