package hubsim

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

type label struct {
	id          int64
	name        string
	color       string
	description string
}

type issue struct {
	id        int64
	repo      *repo
	number    int
	author    *account
	title     string
	body      string
	state     string // open, closed
	reason    string // completed, not_planned, duplicate, reopened
	locked    bool
	lockWhy   string
	labels    []*label
	assignees []*account
	created   time.Time
	updated   time.Time
	closed    time.Time
	closedBy  *account
	comments  []*comment
	edits     []*edit
	events    []*event
	reactions []*reaction
	deleted   bool
	movedTo   *issue
}

// comment is one on an issue or an advisory.
type comment struct {
	id           int64
	author       *account
	body         string
	created      time.Time
	updated      time.Time
	edits        []*edit
	reactions    []*reaction
	minimized    string // classifier
	confidential bool   // advisories: only for people with write access, never in REST
}

// edit is one revision. The first edit makes two: GitHub writes the original
// text down only then. Until somebody deletes the revision by hand, everybody
// who can read the text can read all of its past.
type edit struct {
	id      int64
	by      *account
	created time.Time
	edited  time.Time
	text    string
	deleted time.Time
	purger  *account
}

// event is an entry of the timeline. Unlike revisions nobody can remove it.
type event struct {
	id      int64
	kind    string
	actor   *account
	at      time.Time
	more    obj
	comment *comment
}

type reaction struct {
	id      int64
	by      *account
	content string
	at      time.Time
}

func (i *issue) ref() string { return fmt.Sprintf("%s#%d", i.repo.full(), i.number) }

func (i *issue) api() string { return fmt.Sprintf("%s/issues/%d", i.repo.api(), i.number) }

func (i *issue) page() string { return fmt.Sprintf("%s/issues/%d", i.repo.page(), i.number) }

func (i *issue) gone() bool { return i.deleted || i.movedTo != nil }

// revise records a revision: see edit.
func (s *Sim) revise(edits []*edit, author, who *account, before, after string, born time.Time) []*edit {
	if len(edits) == 0 {
		edits = append(edits, &edit{id: s.id(), by: author, created: s.now(), edited: born, text: before})
	}
	return append(edits, &edit{id: s.id(), by: who, created: s.now(), edited: s.now(), text: after})
}

// purge empties all revisions but the last, which is the current text.
func (s *Sim) purge(edits []*edit, who *account) {
	for i, e := range edits {
		if i < len(edits)-1 && e.deleted.IsZero() {
			e.text, e.deleted, e.purger = "", s.now(), who
		}
	}
}

// newIssue opens an issue. Labels that do not exist are made, assignees
// without push access are dropped without a word.
func (s *Sim) newIssue(who *account, r *repo, title, body string, labels, assignees []string) *issue {
	r.lastNumber++
	i := &issue{
		id: s.id(), repo: r, number: r.lastNumber, author: who, title: title, body: body, state: "open",
		created: s.now(), updated: s.now(),
	}
	r.issues[i.number] = i
	s.wrote(who, issuePlace(i), "", title+"\n"+body)
	for _, n := range labels {
		i.labels = append(i.labels, s.labelOf(who, r, n))
	}
	for _, l := range assignees {
		if a := s.assignable(r, l); a != nil && !slices.Contains(i.assignees, a) {
			i.assignees = append(i.assignees, a)
		}
	}
	s.issueEvent("opened", who, i, nil)
	for _, l := range i.labels {
		s.timeline(i, "labeled", who, obj{"label": obj{"name": l.name, "color": l.color}})
		s.issueEvent("labeled", who, i, obj{"label": labelObj(r, l)})
	}
	for _, a := range i.assignees {
		s.timeline(i, "assigned", who, obj{"assignee": userObj(a), "assigner": userObj(who)})
		s.issueEvent("assigned", who, i, obj{"assignee": userObj(a)})
	}
	return i
}

func (s *Sim) issueEvent(action string, who *account, i *issue, more obj) {
	body := obj{"issue": s.issueObj(i)}
	maps.Copy(body, more)
	s.emit("issues", action, i.repo.owner, who, i.repo, body)
}

func (s *Sim) timeline(i *issue, kind string, who *account, more obj) *event {
	e := &event{id: s.id(), kind: kind, actor: who, at: s.now(), more: more}
	i.events = append(i.events, e)
	return e
}

// editIssue changes title and body; nil leaves one alone. The webhook carries
// the whole previous text: redacting a leak sends it round once more.
func (s *Sim) editIssue(who *account, i *issue, title, body *string) {
	changes := obj{}
	before := i.title + "\n" + i.body
	if title != nil && *title != i.title {
		changes["title"] = obj{"from": i.title}
		s.timeline(i, "renamed", who, obj{"rename": obj{"from": i.title, "to": *title}})
		i.title = *title
	}
	if body != nil && *body != i.body {
		changes["body"] = obj{"from": i.body}
		i.edits = s.revise(i.edits, i.author, who, i.body, *body, i.created)
		i.body = *body
	}
	if len(changes) == 0 {
		return
	}
	i.updated = s.now()
	s.wrote(who, issuePlace(i), before, i.title+"\n"+i.body)
	s.issueEvent("edited", who, i, obj{"changes": changes})
}

func (s *Sim) setState(who *account, i *issue, state, reason string) {
	if state == i.state {
		if state == "closed" && reason != "" {
			i.reason = reason
		}
		return
	}
	i.state, i.updated = state, s.now()
	if state == "open" {
		i.reason, i.closed, i.closedBy = "reopened", time.Time{}, nil
		s.timeline(i, "reopened", who, nil)
		s.issueEvent("reopened", who, i, nil)
		return
	}
	if reason == "" {
		reason = "completed"
	}
	i.reason, i.closed, i.closedBy = reason, s.now(), who
	s.timeline(i, "closed", who, obj{"state_reason": reason, "commit_id": nil})
	s.issueEvent("closed", who, i, nil)
}

func (s *Sim) setLock(who *account, i *issue, on bool, why string) {
	if i.locked == on {
		return
	}
	i.locked, i.lockWhy, i.updated = on, why, s.now()
	kind := "unlocked"
	if on {
		kind = "locked"
	}
	s.timeline(i, kind, who, obj{"lock_reason": orNil(why)})
	s.issueEvent(kind, who, i, nil)
}

// labelOf finds or makes a label, as GitHub does when an issue is given one
// that the repository does not have.
func (s *Sim) labelOf(who *account, r *repo, name string) *label {
	if l := r.labels[fold(name)]; l != nil {
		return l
	}
	l := &label{id: s.id(), name: name, color: "ededed"}
	r.labels[fold(name)] = l
	s.wrote(who, place{fmt.Sprintf("label %d", l.id), r.full() + " label " + name, !r.private}, "", name)
	return l
}

// setLabels makes the issue's labels exactly these.
func (s *Sim) setLabels(who *account, i *issue, names []string) {
	var want []*label
	for _, n := range names {
		if l := s.labelOf(who, i.repo, n); !slices.Contains(want, l) {
			want = append(want, l)
		}
	}
	had := i.labels
	i.labels = want
	for _, l := range want {
		if !slices.Contains(had, l) {
			s.timeline(i, "labeled", who, obj{"label": obj{"name": l.name, "color": l.color}})
			s.issueEvent("labeled", who, i, obj{"label": labelObj(i.repo, l)})
			i.updated = s.now()
		}
	}
	for _, l := range had {
		if !slices.Contains(want, l) {
			s.timeline(i, "unlabeled", who, obj{"label": obj{"name": l.name, "color": l.color}})
			s.issueEvent("unlabeled", who, i, obj{"label": labelObj(i.repo, l)})
			i.updated = s.now()
		}
	}
}

func names(labels []*label) []string {
	var out []string
	for _, l := range labels {
		out = append(out, l.name)
	}
	return out
}

func logins(as []*account) []string {
	var out []string
	for _, a := range as {
		out = append(out, a.login)
	}
	return out
}

func (s *Sim) assignable(r *repo, login string) *account {
	a := s.accounts[fold(login)]
	if a == nil || a.org || a.bot || s.level(a, r) < write {
		return nil
	}
	return a
}

func (s *Sim) setAssignees(who *account, i *issue, want []string) {
	var next []*account
	for _, l := range want {
		if a := s.assignable(i.repo, l); a != nil && !slices.Contains(next, a) {
			next = append(next, a)
		}
	}
	had := i.assignees
	i.assignees = next
	tell := func(kind string, a *account) {
		i.updated = s.now()
		s.timeline(i, kind, who, obj{"assignee": userObj(a), "assigner": userObj(who)})
		s.issueEvent(kind, who, i, obj{"assignee": userObj(a)})
	}
	for _, a := range next {
		if !slices.Contains(had, a) {
			tell("assigned", a)
		}
	}
	for _, a := range had {
		if !slices.Contains(next, a) {
			tell("unassigned", a)
		}
	}
}

func (s *Sim) newComment(who *account, i *issue, body string) *comment {
	c := &comment{id: s.id(), author: who, body: body, created: s.now(), updated: s.now()}
	i.comments = append(i.comments, c)
	i.updated = s.now()
	s.timeline(i, "commented", who, nil).comment = c
	s.wrote(who, commentPlace(i, c), "", body)
	s.commentEvent("created", who, i, c, nil)
	return c
}

func (s *Sim) commentEvent(action string, who *account, i *issue, c *comment, more obj) {
	body := obj{"issue": s.issueObj(i), "comment": s.commentObj(i, c)}
	maps.Copy(body, more)
	s.emit("issue_comment", action, i.repo.owner, who, i.repo, body)
}

func (s *Sim) editComment(who *account, i *issue, c *comment, body string) {
	if who == s.bot && c.author != s.bot {
		s.violate("human text: the App edited comment %d of %s on %s", c.id, c.author.login, i.ref())
	}
	if body == c.body {
		return
	}
	before := c.body
	c.edits = s.revise(c.edits, c.author, who, before, body, c.created)
	c.body, c.updated, i.updated = body, s.now(), s.now()
	s.wrote(who, commentPlace(i, c), before, body)
	s.commentEvent("edited", who, i, c, obj{"changes": obj{"body": obj{"from": before}}})
}

// dropComment is the one complete removal GitHub offers: text and history.
func (s *Sim) dropComment(who *account, i *issue, c *comment) {
	i.comments = slices.DeleteFunc(i.comments, func(x *comment) bool { return x == c })
	i.events = slices.DeleteFunc(i.events, func(e *event) bool { return e.comment == c })
	i.updated = s.now()
	s.timeline(i, "comment_deleted", who, nil)
	s.unwrote(commentPlace(i, c))
	s.commentEvent("deleted", who, i, c, nil)
}

func (s *Sim) react(who *account, list []*reaction, content string) ([]*reaction, *reaction, bool) {
	for _, x := range list {
		if x.by == who && x.content == content {
			return list, x, false
		}
	}
	x := &reaction{id: s.id(), by: who, content: content, at: s.now()}
	return append(list, x), x, true
}

// findComment looks through a repository: a comment's address names no issue.
func (r *repo) findComment(id int64) (*issue, *comment) {
	for _, i := range r.issues {
		if i.gone() {
			continue
		}
		for _, c := range i.comments {
			if c.id == id {
				return i, c
			}
		}
	}
	return nil, nil
}
