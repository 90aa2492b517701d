package hubsim

import (
	"fmt"
	"maps"
	"strings"
)

// issueObj is GitHub's issue object, in REST and in webhooks.
func (s *Sim) issueObj(i *issue) obj {
	labels := []any{}
	for _, l := range i.labels {
		labels = append(labels, labelObj(i.repo, l))
	}
	var assignee any
	if len(i.assignees) > 0 {
		assignee = userObj(i.assignees[0])
	}
	u := i.api()
	return obj{
		"id": i.id, "node_id": nodeID("I", i.id), "number": i.number, "url": u, "html_url": i.page(),
		"repository_url": i.repo.api(), "labels_url": u + "/labels{/name}", "comments_url": u + "/comments",
		"events_url": u + "/events", "timeline_url": u + "/timeline",
		"title": i.title, "body": orNil(i.body), "user": userObj(i.author), "state": i.state, "state_reason": orNil(i.reason),
		"locked": i.locked, "active_lock_reason": orNil(i.lockWhy), "labels": labels,
		"assignee": assignee, "assignees": users(i.assignees), "milestone": nil, "type": nil,
		"comments": len(i.comments), "created_at": stamp(i.created), "updated_at": stamp(i.updated),
		"closed_at": stampOrNil(i.closed), "closed_by": userObj(i.closedBy),
		"author_association": s.association(i.author, i.repo), "performed_via_github_app": s.viaApp(i.author),
		"reactions": reactionsObj(i.reactions, u), "draft": false,
	}
}

// commentObj is a comment on an issue, in REST and in webhooks.
func (s *Sim) commentObj(i *issue, c *comment) obj {
	u := fmt.Sprintf("%s/issues/comments/%d", i.repo.api(), c.id)
	return obj{
		"id": c.id, "node_id": nodeID("IC", c.id), "url": u, "html_url": fmt.Sprintf("%s#issuecomment-%d", i.page(), c.id),
		"issue_url": i.api(), "user": userObj(c.author), "body": c.body, "created_at": stamp(c.created),
		"updated_at": stamp(c.updated), "author_association": s.association(c.author, i.repo),
		"performed_via_github_app": s.viaApp(c.author), "reactions": reactionsObj(c.reactions, u),
	}
}

// eventObj is an entry of the timeline. A renaming shows both titles.
func (s *Sim) eventObj(i *issue, e *event) obj {
	if e.comment != nil { // the timeline shows comments whole
		o := s.commentObj(i, e.comment)
		o["event"], o["actor"] = "commented", userObj(e.actor)
		return o
	}
	o := obj{
		"id": e.id, "node_id": nodeID(strings.ToUpper(e.kind[:2])+"E", e.id), "event": e.kind, "actor": userObj(e.actor),
		"created_at": stamp(e.at), "commit_id": nil, "commit_url": nil, "performed_via_github_app": s.viaApp(e.actor),
		"url": fmt.Sprintf("%s/issues/events/%d", i.repo.api(), e.id),
	}
	maps.Copy(o, e.more)
	return o
}

func reactionObj(x *reaction) obj {
	return obj{
		"id": x.id, "node_id": nodeID("REA", x.id), "user": userObj(x.by), "content": x.content,
		"created_at": stamp(x.at),
	}
}

// viaApp is performed_via_github_app: how our own writes are told apart.
func (s *Sim) viaApp(a *account) any {
	if a == s.bot {
		return s.appObj()
	}
	return nil
}

func labelObj(r *repo, l *label) obj {
	return obj{
		"id": l.id, "node_id": nodeID("LA", l.id), "name": l.name, "color": l.color, "default": false,
		"description": orNil(l.description), "url": r.api() + "/labels/" + strings.ReplaceAll(l.name, " ", "%20"),
	}
}

func reactionsObj(list []*reaction, url string) obj {
	o := obj{"url": url + "/reactions", "total_count": len(list)}
	for _, k := range []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"} {
		n := 0
		for _, x := range list {
			if x.content == k {
				n++
			}
		}
		o[k] = n
	}
	return o
}

func users(as []*account) []any {
	out := []any{}
	for _, a := range as {
		out = append(out, userObj(a))
	}
	return out
}
