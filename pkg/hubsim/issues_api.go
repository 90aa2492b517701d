package hubsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// readIssues, writeIssues and contentIssues are the three kinds of routes here.
func readIssues(path string, do func(*call)) *route {
	return &route{method: "GET", path: path, need: "issues:read", open: true, do: do}
}

func writeIssues(method, path string, do func(*call)) *route {
	return &route{method: method, path: path, need: "issues:write", do: do}
}

func contentIssues(path string, do func(*call)) *route {
	rt := writeIssues("POST", path, do)
	rt.content = true
	return rt
}

// issueRoutes has the comments first: "comments" would pass for a number.
func (s *Sim) issueRoutes() []*route { return append(s.commentRoutes(), s.oneIssueRoutes()...) }

func (s *Sim) commentRoutes() []*route {
	base := "/repos/{owner}/{repo}/issues"
	return []*route{
		readIssues(base, listIssues),
		contentIssues(base, createIssue),
		readIssues(base+"/comments", listRepoComments),
		readIssues(base+"/comments/{comment_id}", onComment(func(c *call, i *issue, x *comment) { c.reply(200, c.commentObj(i, x)) })),
		writeIssues("PATCH", base+"/comments/{comment_id}", onComment(patchComment)),
		writeIssues("DELETE", base+"/comments/{comment_id}", onComment(func(c *call, i *issue, x *comment) {
			c.dropComment(c.bot, i, x)
			c.reply(204, nil)
		})),
		readIssues(base+"/comments/{comment_id}/reactions", onComment(func(c *call, _ *issue, x *comment) { c.listReactions(x.reactions) })),
		writeIssues("POST", base+"/comments/{comment_id}/reactions", onComment(func(c *call, _ *issue, x *comment) {
			c.addReaction(&x.reactions)
		})),
		writeIssues("DELETE", base+"/comments/{comment_id}/reactions/{reaction_id}", onComment(func(c *call, _ *issue, x *comment) {
			c.dropReaction(&x.reactions)
		})),
	}
}

func (s *Sim) oneIssueRoutes() []*route {
	one := "/repos/{owner}/{repo}/issues/{issue_number}"
	return []*route{
		readIssues(one, onIssue(func(c *call, i *issue) { c.reply(200, c.issueObj(i)) })),
		writeIssues("PATCH", one, onIssue(patchIssue)),
		readIssues(one+"/comments", onIssue(listComments)),
		contentIssues(one+"/comments", onIssue(createComment)),
		readIssues(one+"/reactions", onIssue(func(c *call, i *issue) { c.listReactions(i.reactions) })),
		writeIssues("POST", one+"/reactions", onIssue(func(c *call, i *issue) { c.addReaction(&i.reactions) })),
		writeIssues("DELETE", one+"/reactions/{reaction_id}", onIssue(func(c *call, i *issue) { c.dropReaction(&i.reactions) })),
		writeIssues("PUT", one+"/lock", onIssue(lockIssue)),
		writeIssues("DELETE", one+"/lock", onIssue(func(c *call, i *issue) {
			c.setLock(c.bot, i, false, "")
			c.reply(204, nil)
		})),
		readIssues(one+"/labels", onIssue(func(c *call, i *issue) { c.showLabels(i) })),
		writeIssues("POST", one+"/labels", onIssue(func(c *call, i *issue) {
			add, _ := c.list("labels")
			c.setLabels(c.bot, i, append(names(i.labels), add...))
			c.showLabels(i)
		})),
		writeIssues("PUT", one+"/labels", onIssue(func(c *call, i *issue) {
			all, _ := c.list("labels")
			c.setLabels(c.bot, i, all)
			c.showLabels(i)
		})),
		writeIssues("DELETE", one+"/labels/{name}", onIssue(unlabel)),
		writeIssues("POST", one+"/assignees", onIssue(func(c *call, i *issue) {
			add, _ := c.list("assignees")
			c.setAssignees(c.bot, i, append(logins(i.assignees), add...))
			c.reply(http.StatusCreated, c.issueObj(i))
		})),
		writeIssues("DELETE", one+"/assignees", onIssue(func(c *call, i *issue) {
			drop, _ := c.list("assignees")
			c.setAssignees(c.bot, i, slices.DeleteFunc(logins(i.assignees), func(l string) bool {
				return slices.ContainsFunc(drop, func(d string) bool { return fold(d) == fold(l) })
			}))
			c.reply(200, c.issueObj(i))
		})),
		readIssues(one+"/timeline", onIssue(func(c *call, i *issue) { c.listEvents(i, true) })),
		readIssues(one+"/events", onIssue(func(c *call, i *issue) { c.listEvents(i, false) })),
		readIssues("/repos/{owner}/{repo}/labels", listLabels),
		readIssues("/repos/{owner}/{repo}/labels/{name}", func(c *call) {
			l := c.repo.labels[fold(c.params["name"])]
			if l == nil {
				c.notFound()
				return
			}
			c.reply(200, labelObj(c.repo, l))
		}),
		writeIssues("POST", "/repos/{owner}/{repo}/labels", createLabel),
	}
}

// onIssue finds {issue_number}. Deleted ones are 410, moved ones redirect.
func onIssue(do func(*call, *issue)) func(*call) {
	return func(c *call) {
		i := c.repo.issues[int(c.int("issue_number"))]
		switch {
		case i == nil:
			c.notFound()
		case i.deleted:
			c.fail(410, "This issue was deleted")
		case i.movedTo != nil:
			to := fmt.Sprintf("%s/repositories/%d/issues/%d", c.base(), i.movedTo.repo.id, i.movedTo.number)
			c.header.Set("Location", to)
			c.reply(301, obj{"message": "Moved Permanently", "url": to})
		default:
			do(c, i)
		}
	}
}

// listIssues shows open ones, newest first, unless asked otherwise. since is
// about the last update, and inclusive.
//
// https://docs.github.com/rest/issues/issues#list-repository-issues
func listIssues(c *call) {
	state := c.query.Get("state")
	if state == "" {
		state = "open"
	}
	since, creator, want := c.since(), fold(c.query.Get("creator")), c.query.Get("labels")
	var all []*issue
	for _, i := range c.repo.issues {
		switch {
		case i.gone(),
			state != "all" && i.state != state,
			i.updated.Before(since),
			creator != "" && fold(i.author.login) != creator,
			want != "" && !hasLabels(i, strings.Split(want, ",")):
			continue
		}
		all = append(all, i)
	}
	key := func(i *issue) time.Time { return i.created }
	if c.query.Get("sort") == "updated" {
		key = func(i *issue) time.Time { return i.updated }
	}
	slices.SortFunc(all, func(a, b *issue) int {
		d := key(a).Compare(key(b))
		if d == 0 {
			d = a.number - b.number
		}
		if c.query.Get("direction") != "asc" {
			d = -d
		}
		return d
	})
	from, to := c.page(len(all))
	out := []any{}
	for _, i := range all[from:to] {
		out = append(out, c.issueObj(i))
	}
	c.reply(200, out)
}

// hasLabels wants all of them, as the query does.
func hasLabels(i *issue, want []string) bool {
	for _, w := range want {
		if !slices.ContainsFunc(i.labels, func(l *label) bool { return fold(l.name) == fold(w) }) {
			return false
		}
	}
	return true
}

// createIssue makes labels that do not exist and drops assignees that may not
// be assigned, both without a word.
//
// https://docs.github.com/rest/issues/issues#create-an-issue
func createIssue(c *call) {
	title, _ := c.str("title")
	body, _ := c.str("body")
	if strings.TrimSpace(title) == "" {
		c.invalid("Issue", "title", "missing_field", "")
		return
	}
	if c.tooLong("Issue", title, body) {
		return
	}
	labels, _ := c.list("labels")
	assignees, _ := c.list("assignees")
	i := c.newIssue(c.bot, c.repo, title, body, labels, assignees)
	c.header.Set("Location", i.api())
	c.reply(http.StatusCreated, c.issueObj(i))
}

// tooLong: titles end at 256 characters and bodies at 65,536.
func (c *call) tooLong(resource, title, body string) bool {
	switch {
	case len([]rune(title)) > 256:
		c.invalid(resource, "title", "custom", "title is too long (maximum is 256 characters)")
	case len([]rune(body)) > 65536:
		c.invalid(resource, "body", "custom", "body is too long (maximum is 65536 characters)")
	default:
		return false
	}
	return true
}

// patchIssue changes only what is given. Lists replace. The old text stays in
// the edit history and the old title in the timeline: nothing here hides a
// leak.
//
// https://docs.github.com/rest/issues/issues#update-an-issue
func patchIssue(c *call, i *issue) {
	title, hasTitle := c.str("title")
	body, hasBody := c.str("body")
	state, hasState := c.str("state")
	reason, _ := c.str("state_reason")
	switch {
	case hasTitle && strings.TrimSpace(title) == "":
		c.invalid("Issue", "title", "missing_field", "")
		return
	case hasState && state != "open" && state != "closed":
		c.invalid("Issue", "state", "invalid", "")
		return
	case reason != "" && !slices.Contains([]string{"completed", "not_planned", "duplicate", "reopened"}, reason):
		c.invalid("Issue", "state_reason", "invalid", "")
		return
	case c.tooLong("Issue", title, body):
		return
	}
	var newTitle, newBody *string
	if hasTitle {
		newTitle = &title
	}
	if hasBody {
		newBody = &body
	}
	c.editIssue(c.bot, i, newTitle, newBody)
	if labels, given := c.list("labels"); given {
		c.setLabels(c.bot, i, labels)
	}
	if who, given := c.list("assignees"); given {
		c.setAssignees(c.bot, i, who)
	}
	if hasState {
		c.setState(c.bot, i, state, reason)
	}
	c.reply(200, c.issueObj(i))
}

// lockIssue stops strangers from commenting; what stands there stays readable.
func lockIssue(c *call, i *issue) {
	why, _ := c.str("lock_reason")
	if why != "" && !slices.Contains([]string{"off-topic", "too heated", "resolved", "spam"}, why) {
		c.invalid("Issue", "lock_reason", "invalid", "")
		return
	}
	c.setLock(c.bot, i, true, why)
	c.reply(204, nil)
}

func (c *call) showLabels(i *issue) {
	out := []any{}
	for _, l := range i.labels {
		out = append(out, labelObj(i.repo, l))
	}
	c.reply(200, out)
}

// unlabel answers 404 for a label that the issue does not wear.
func unlabel(c *call, i *issue) {
	name := fold(c.params["name"])
	if !hasLabels(i, []string{name}) {
		c.fail(404, "Label does not exist")
		return
	}
	c.setLabels(c.bot, i, slices.DeleteFunc(names(i.labels), func(n string) bool { return fold(n) == name }))
	c.showLabels(i)
}

func listLabels(c *call) {
	var all []*label
	for _, l := range c.repo.labels {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *label) int { return strings.Compare(fold(a.name), fold(b.name)) })
	from, to := c.page(len(all))
	out := []any{}
	for _, l := range all[from:to] {
		out = append(out, labelObj(c.repo, l))
	}
	c.reply(200, out)
}

func createLabel(c *call) {
	name, _ := c.str("name")
	switch {
	case name == "":
		c.invalid("Label", "name", "missing_field", "")
		return
	case c.repo.labels[fold(name)] != nil:
		c.invalid("Label", "name", "already_exists", "")
		return
	}
	l := c.labelOf(c.bot, c.repo, name)
	if color, _ := c.str("color"); color != "" {
		l.color = color
	}
	l.description, _ = c.str("description")
	c.reply(http.StatusCreated, labelObj(c.repo, l))
}

// listEvents: the timeline has the comments, the events have not.
func (c *call) listEvents(i *issue, comments bool) {
	var all []*event
	for _, e := range i.events {
		if comments || e.kind != "commented" {
			all = append(all, e)
		}
	}
	from, to := c.page(len(all))
	out := []any{}
	for _, e := range all[from:to] {
		out = append(out, c.eventObj(i, e))
	}
	c.reply(200, out)
}
