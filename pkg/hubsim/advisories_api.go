package hubsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (s *Sim) advisoryRoutes() []*route {
	base := "/repos/{owner}/{repo}/security-advisories"
	one := base + "/{ghsa_id}"
	return []*route{
		{method: "GET", path: base, need: "repository_advisories:read", open: true, soft: true, do: func(c *call) {
			if c.repo.private {
				c.notFound()
				return
			}
			c.listAdvisories(c.repo.advisories)
		}},
		{method: "GET", path: "/orgs/{org}/security-advisories", need: "repository_advisories:write", soft: true, do: listOrgAdvisories},
		{method: "POST", path: base, need: "repository_advisories:write", content: true, do: createAdvisory},
		{method: "POST", path: base + "/reports", need: "repository_advisories:write", content: true, do: reportAdvisory},
		{method: "GET", path: one, open: true, do: getAdvisory},
		{method: "PATCH", path: one, need: "repository_advisories:write", do: onAdvisory(patchAdvisory)},
		{method: "POST", path: one + "/cve", need: "repository_advisories:write", do: onAdvisory(func(c *call, a *advisory) {
			if a.cve != "" {
				c.invalid("RepositoryAdvisory", "cve_id", "custom", "already has a CVE")
				return
			}
			c.reply(http.StatusAccepted, obj{})
		})},
		{method: "GET", path: one + "/comments", need: "repository_advisories:read", do: onAdvisory(listAdvisoryComments)},
		{method: "GET", path: one + "/comments/{comment_id}", need: "repository_advisories:read", do: onAdvisory(getAdvisoryComment)},
		{method: "POST", path: one + "/comments", need: "repository_advisories:write", content: true, do: onAdvisory(createAdvisoryComment)},
		{method: "PATCH", path: one + "/comments/{comment_id}", need: "repository_advisories:write", do: onAdvisory(patchAdvisoryComment)},
		{method: "GET", path: "/advisories", auth: asAnyone, do: listGlobal},
		{method: "GET", path: "/advisories/{ghsa_id}", auth: asAnyone, do: getGlobal},
	}
}

// onAdvisory finds {ghsa_id}. Private repositories have no advisories since
// 2024-05-15.
func onAdvisory(do func(*call, *advisory)) func(*call) {
	return func(c *call) {
		a := c.repo.advisory(c.params["ghsa_id"])
		if a == nil || c.repo.private {
			c.notFound()
			return
		}
		do(c, a)
	}
}

// getAdvisory: published ones are everybody's, others want the permission and
// say so with 403, unlike the list.
func getAdvisory(c *call) {
	onAdvisory(func(c *call, a *advisory) {
		if a.state != "published" {
			if c.tok == nil || !c.inside(c.repo) {
				c.notFound()
				return
			}
			if !c.holds("repository_advisories:read") {
				return
			}
		}
		c.reply(200, c.advisoryObj(a))
	})(c)
}

// listOrgAdvisories wants write to read, says GitHub's table.
func listOrgAdvisories(c *call) {
	org := c.accounts[fold(c.params["org"])]
	if org == nil || org != c.tok.inst.owner {
		c.notFound()
		return
	}
	var all []*advisory
	for _, r := range c.reposOf(org) {
		if !r.private && c.inside(r) {
			all = append(all, r.advisories...)
		}
	}
	c.listAdvisories(all)
}

// listAdvisories is the trap: without the permission it is not refused, it is
// just empty of everything that is not published.
func (c *call) listAdvisories(from []*advisory) {
	sort := c.query.Get("sort")
	var all []*advisory
	for _, a := range from {
		switch want := c.query.Get("state"); {
		case c.lacks && a.state != "published",
			want != "" && want != a.state,
			sort == "published" && a.publishedAt.IsZero():
			continue
		}
		all = append(all, a)
	}
	key := func(a *advisory) time.Time {
		switch sort {
		case "updated":
			return a.updated
		case "published":
			return a.publishedAt
		}
		return a.created
	}
	slices.SortStableFunc(all, func(a, b *advisory) int {
		d := key(a).Compare(key(b))
		if c.query.Get("direction") != "asc" {
			d = -d
		}
		return d
	})
	var keys []string
	for _, a := range all {
		keys = append(keys, a.ghsa)
	}
	lo, hi := c.cursor(keys)
	out := []any{}
	for _, a := range all[lo:hi] {
		out = append(out, c.advisoryObj(a))
	}
	c.reply(200, out)
}

// createAdvisory opens a draft. No webhook tells of it, and nobody but the App
// and the admins is in it.
//
// https://docs.github.com/rest/security-advisories/repository-advisories#create-a-repository-security-advisory
func createAdvisory(c *call) {
	if c.repo.private {
		c.notFound()
		return
	}
	for _, f := range []string{"summary", "description", "vulnerabilities"} {
		if v, given := c.body[f]; !given || v == "" || v == nil {
			c.invalid("RepositoryAdvisory", f, "missing_field", "")
			return
		}
	}
	// Checked on a copy, so that a refused request leaves nothing behind.
	draft := &advisory{repo: c.repo, author: c.bot}
	if !c.applyAdvisory(draft) {
		return
	}
	a := c.newAdvisory(c.bot, c.repo, "draft", draft.summary, draft.description)
	a.vulns, a.cwes, a.credits = draft.vulns, draft.cwes, draft.credits
	a.cve, a.severity, a.cvss = draft.cve, draft.severity, draft.cvss
	c.header.Set("Location", a.api())
	c.reply(http.StatusCreated, c.advisoryObj(a))
}

// reportAdvisory makes the App itself the reporter, which is seldom wanted.
func reportAdvisory(c *call) {
	summary, _ := c.str("summary")
	description, _ := c.str("description")
	switch {
	case c.repo.private:
		c.notFound()
	case !c.repo.pvr:
		c.fail(403, "Private vulnerability reporting is not enabled for this repository.")
	case summary == "" || description == "":
		c.invalid("RepositoryAdvisory", "summary", "missing_field", "")
	default:
		draft := &advisory{repo: c.repo, author: c.bot}
		if !c.applyAdvisory(draft) {
			return
		}
		a := c.newAdvisory(c.bot, c.repo, "triage", summary, description)
		if len(draft.vulns) > 0 {
			a.vulns = draft.vulns
		}
		a.cwes, a.severity, a.cvss = draft.cwes, draft.severity, draft.cvss
		c.reported(c.bot, a)
		c.reply(http.StatusCreated, c.advisoryObj(a))
	}
}

// patchAdvisory: arrays replace, triage and withdrawn cannot be set, and there
// is no If-Match, so that the last writer wins.
//
// https://docs.github.com/rest/security-advisories/repository-advisories#update-a-repository-security-advisory
func patchAdvisory(c *call, a *advisory) {
	state, hasState := c.str("state")
	if hasState && !slices.Contains([]string{"published", "closed", "draft"}, state) {
		c.invalid("RepositoryAdvisory", "state", "invalid", "state must be published, closed or draft")
		return
	}
	if hasState {
		if err := a.mayBecome(state); err != nil {
			c.invalid("RepositoryAdvisory", "state", "custom", err.Error())
			return
		}
	}
	next := *a // a refused request changes nothing
	if !c.applyAdvisory(&next) {
		return
	}
	before := a.summary + "\n" + a.description
	next.updated = c.now()
	*a = next
	c.wrote(c.bot, advisoryPlace(a), before, a.summary+"\n"+a.description)
	if hasState {
		_ = c.setAdvisoryState(c.bot, a, state) // asked above
	}
	c.reply(200, c.advisoryObj(a))
}

// The comments API is in public preview since 2026-10-02; names of fields
// besides id, body, created_at and updated_at are a guess. It has no delete.
//
// https://github.blog/changelog/2026-10-02-repository-security-advisory-comments-api-in-public-preview
func listAdvisoryComments(c *call, a *advisory) {
	if c.commentsOff {
		c.notFound()
		return
	}
	all := c.changedSince(a.openComments())
	if a.state == "published" { // seen in the field: 200 and empty
		all = nil
	}
	from, to := c.page(len(all))
	out := []any{}
	for _, x := range all[from:to] {
		out = append(out, c.advisoryCommentObj(a, x))
	}
	c.reply(200, out)
}

// advisoryComment finds {comment_id}; everything that is not there, or hidden,
// or closed by publication, is the same 404.
func (c *call) advisoryComment(a *advisory) *comment {
	if !c.commentsOff && a.state != "published" {
		for _, x := range a.openComments() {
			if x.id == c.int("comment_id") {
				return x
			}
		}
	}
	c.notFound()
	return nil
}

func getAdvisoryComment(c *call, a *advisory) {
	if x := c.advisoryComment(a); x != nil {
		c.reply(200, c.advisoryCommentObj(a, x))
	}
}

func createAdvisoryComment(c *call, a *advisory) {
	if c.commentsOff || a.state == "published" {
		c.notFound()
		return
	}
	body, _ := c.str("body")
	if strings.TrimSpace(body) == "" {
		c.invalid("RepositoryAdvisoryComment", "body", "missing_field", "")
		return
	}
	if c.tooLong("RepositoryAdvisoryComment", "", body) {
		return
	}
	if _, err := c.commentAdvisory(c.bot, a, body); err != nil {
		c.notFound()
		return
	}
	c.reply(http.StatusCreated, c.advisoryCommentObj(a, a.comments[len(a.comments)-1]))
}

func patchAdvisoryComment(c *call, a *advisory) {
	x := c.advisoryComment(a)
	if x == nil {
		return
	}
	body, _ := c.str("body")
	if strings.TrimSpace(body) == "" {
		c.invalid("RepositoryAdvisoryComment", "body", "missing_field", "")
		return
	}
	c.reviseAdvisoryComment(c.bot, a, x, body)
	c.reply(200, c.advisoryCommentObj(a, x))
}
