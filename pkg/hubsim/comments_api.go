package hubsim

import (
	"net/http"
	"slices"
)

// onComment finds {comment_id}, which names no issue: comments are numbered
// over the whole of GitHub.
func onComment(do func(*call, *issue, *comment)) func(*call) {
	return func(c *call) {
		i, x := c.repo.findComment(c.int("comment_id"))
		if x == nil {
			c.notFound()
			return
		}
		do(c, i, x)
	}
}

// changedSince keeps what was updated at or after the query's since.
func (c *call) changedSince(all []*comment) []*comment {
	since := c.since()
	var out []*comment
	for _, x := range all {
		if !x.updated.Before(since) {
			out = append(out, x)
		}
	}
	return out
}

func listComments(c *call, i *issue) {
	all := c.changedSince(i.comments)
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, c.commentObj(i, x))
	}
	c.reply(200, out)
}

// listRepoComments is the cheap way to look for what changed in a repository.
//
// https://docs.github.com/rest/issues/comments#list-issue-comments-for-a-repository
func listRepoComments(c *call) {
	of := map[*comment]*issue{}
	var all []*comment
	for _, i := range c.repo.issues {
		if i.gone() {
			continue
		}
		for _, x := range c.changedSince(i.comments) {
			of[x] = i
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b *comment) int {
		d := 0
		if c.query.Get("sort") == "updated" {
			d = a.updated.Compare(b.updated)
		}
		if d == 0 {
			d = int(a.id - b.id)
		}
		if c.query.Get("direction") == "desc" {
			d = -d
		}
		return d
	})
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, c.commentObj(of[x], x))
	}
	c.reply(200, out)
}

// createComment: an App with Issues write may also speak on a locked issue.
func createComment(c *call, i *issue) {
	body, _ := c.str("body")
	if body == "" {
		c.invalid("IssueComment", "body", "missing_field", "")
		return
	}
	if c.tooLong("IssueComment", "", body) {
		return
	}
	x := c.newComment(c.bot, i, body)
	c.reply(http.StatusCreated, c.commentObj(i, x))
}

// patchComment lets an App with Issues write edit anybody's comment, as GitHub
// does. That it must not is a law of ours.
func patchComment(c *call, i *issue, x *comment) {
	body, _ := c.str("body")
	if body == "" {
		c.invalid("IssueComment", "body", "missing_field", "")
		return
	}
	if c.tooLong("IssueComment", "", body) {
		return
	}
	c.editComment(c.bot, i, x, body)
	c.reply(200, c.commentObj(i, x))
}

func (c *call) listReactions(list []*reaction) {
	var all []*reaction
	for _, x := range list {
		if want := c.query.Get("content"); want == "" || want == x.content {
			all = append(all, x)
		}
	}
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, reactionObj(x))
	}
	c.reply(200, out)
}

// addReaction answers 201 for a new reaction and 200 for one that was there.
func (c *call) addReaction(list *[]*reaction) {
	content, _ := c.str("content")
	if !slices.Contains([]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}, content) {
		c.invalid("Reaction", "content", "invalid", "")
		return
	}
	next, x, fresh := c.react(c.bot, *list, content)
	*list = next
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	c.reply(status, reactionObj(x))
}

// dropReaction takes away the App's own only.
func (c *call) dropReaction(list *[]*reaction) {
	id := c.int("reaction_id")
	n := len(*list)
	*list = slices.DeleteFunc(*list, func(x *reaction) bool { return x.id == id && x.by == c.bot })
	if len(*list) == n {
		c.notFound()
		return
	}
	c.reply(204, nil)
}
