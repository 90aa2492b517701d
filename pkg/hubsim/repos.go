package hubsim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// repo is a repository with everything in it.
type repo struct {
	id         int64
	owner      *account
	name       string
	private    bool
	archived   bool
	pvr        bool // private vulnerability reporting
	created    time.Time
	grants     map[string]string // lower-case login -> permission
	issues     map[int]*issue
	lastNumber int
	labels     map[string]*label // lower-case name
	advisories []*advisory
	releases   []*release
	branches   []string
	files      map[string]string
	commit     string // head of main
}

func (r *repo) full() string { return r.owner.login + "/" + r.name }

func (r *repo) page() string { return webURL + "/" + r.full() }

func (r *repo) api() string { return apiURL + "/repos/" + r.full() }

// AddRepo makes a repository; an unknown owner becomes an organisation.
// Private vulnerability reporting is on for public ones, which GitHub's
// default is not but Heed's users' is.
func (s *Sim) AddRepo(owner, name string, private bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.ensure(owner, true)
	key := fold(owner + "/" + name)
	if r := s.repos[s.names[key]]; r != nil && fold(r.full()) == key {
		return
	}
	r := &repo{
		id: s.id(), owner: o, name: name, private: private, pvr: !private, created: s.now(),
		grants: map[string]string{}, issues: map[int]*issue{}, labels: map[string]*label{},
		branches: []string{"main"}, files: map[string]string{},
	}
	r.commit = s.sha("commit")
	for _, l := range []string{"bug", "documentation", "duplicate", "enhancement", "question", "wontfix"} {
		r.labels[l] = &label{id: s.id(), name: l}
	}
	s.repos[r.id], s.names[key] = r, r.id
	s.emit("repository", "created", o, s.doer(o), r, nil)
	if in := s.installedOn(o); in != nil {
		s.emit("installation_repositories", "added", o, s.doer(o), nil, obj{
			"installation": s.installationObj(in), "repository_selection": "all",
			"repositories_added": []any{shortRepo(r)}, "repositories_removed": []any{}, "requester": nil,
		})
	}
}

// doer stands in as sender where the test does not say who acted.
func (s *Sim) doer(o *account) *account {
	for login := range o.owners {
		if len(o.owners) == 1 {
			return s.accounts[login]
		}
	}
	return o
}

// lookup finds a repository by any name that it ever had.
func (s *Sim) lookup(full string) (*repo, error) {
	r := s.repos[s.names[fold(full)]]
	if r == nil {
		return nil, fmt.Errorf("no such repository: %q", full)
	}
	return r, nil
}

// mustRepo is for set-up, where a wrong name is the programmer's mistake.
func (s *Sim) mustRepo(full string) *repo {
	r, err := s.lookup(full)
	if err != nil {
		panic("hubsim: " + err.Error())
	}
	return r
}

// SetPVR switches private vulnerability reporting.
func (s *Sim) SetPVR(repo string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepo(repo).pvr = on
}

// Rename gives a repository ("owner/name") a new name. The old one redirects.
func (s *Sim) Rename(repo, newName string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	old := r.name
	r.name = newName
	s.names[fold(r.full())] = r.id
	s.emit("repository", "renamed", r.owner, s.doer(r.owner), r, obj{
		"changes": obj{"repository": obj{"name": obj{"from": old}}},
	})
}

// RenameAccount gives an account another login. Its repositories are found under both, until somebody takes
// the old one.
func (s *Sim) RenameAccount(old, now string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[fold(old)]
	delete(s.accounts, fold(old))
	a.login = now
	s.accounts[fold(now)] = a
	for _, r := range s.reposOf(a) {
		s.names[fold(r.full())] = r.id
	}
	s.emit("installation_target", "renamed", a, s.doer(a), nil, obj{
		"account": orgObj(a), "changes": obj{"login": obj{"from": old}}, "target_type": "Organization",
	})
}

// Transfer gives a repository to another owner, whose installation, if there is one, is told. The
// old name redirects, as far as the caller may see the new one.
func (s *Sim) Transfer(repo, newOwner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, old := s.mustRepo(repo), s.accounts[fold(strings.Split(repo, "/")[0])]
	if in := s.installedOn(old); in != nil {
		s.emit("installation_repositories", "removed", old, s.doer(old), nil, obj{
			"installation": s.installationObj(in), "repository_selection": "all",
			"repositories_added": []any{}, "repositories_removed": []any{shortRepo(r)}, "requester": nil,
		})
	}
	r.owner = s.ensure(newOwner, true)
	s.names[fold(r.full())] = r.id
	s.emit("repository", "transferred", r.owner, s.doer(r.owner), r, obj{"changes": obj{"owner": obj{"from": obj{"organization": orgObj(old)}}}})
}

// Privatize hides a repository; its advisories are out of reach from now on.
func (s *Sim) Privatize(repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	r.private = true
	s.emit("repository", "privatized", r.owner, s.doer(r.owner), r, nil)
}

// Publicize shows a private repository to everybody.
func (s *Sim) Publicize(repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	r.private = false
	s.emit("repository", "publicized", r.owner, s.doer(r.owner), r, nil)
}

// Archive makes a repository read-only.
func (s *Sim) Archive(repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	r.archived = true
	s.emit("repository", "archived", r.owner, s.doer(r.owner), r, nil)
}

// DeleteRepo removes a repository and all that was in it.
func (s *Sim) DeleteRepo(repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	s.emit("repository", "deleted", r.owner, s.doer(r.owner), r, nil)
	delete(s.repos, r.id)
}

// shortRepo is how installation events name repositories.
func shortRepo(r *repo) obj {
	return obj{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(), "private": r.private}
}

// repoObj is the repository as webhooks carry it.
func (s *Sim) repoObj(r *repo) obj {
	open := 0
	for _, i := range r.issues {
		if i.state == "open" {
			open++
		}
	}
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	api := r.api()
	return obj{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.full(), "private": r.private,
		"owner": userObj(r.owner), "html_url": r.page(), "description": nil, "fork": false, "url": api,
		"issues_url": api + "/issues{/number}", "contents_url": api + "/contents/{+path}", "releases_url": api + "/releases{/id}",
		"created_at": stamp(r.created), "updated_at": stamp(r.created), "pushed_at": stamp(r.created),
		"homepage": nil, "size": 1, "stargazers_count": 0, "watchers_count": 0, "language": nil, "forks_count": 0,
		"has_issues": true, "has_projects": true, "has_wiki": false, "has_discussions": false,
		"archived": r.archived, "disabled": false, "visibility": visibility, "open_issues_count": open, "open_issues": open,
		"forks": 0, "watchers": 0, "license": nil, "topics": []any{}, "default_branch": "main", "is_template": false,
		"allow_forking": true, "web_commit_signoff_required": false,
	}
}

func (s *Sim) repoRoutes() []*route {
	open := func(path, need string, do func(*call)) *route {
		return &route{method: "GET", path: path, need: need, open: true, do: do}
	}
	pvr := "/repos/{owner}/{repo}/private-vulnerability-reporting"
	return []*route{
		open("/repos/{owner}/{repo}", "metadata:read", showRepo),
		{method: "GET", path: "/repositories/{repository_id}", open: true, do: func(c *call) {
			c.repo = c.repos[c.int("repository_id")]
			if c.repo == nil || c.repo.private && !c.inside(c.repo) {
				c.notFound()
				return
			}
			showRepo(c)
		}},
		open("/repos/{owner}/{repo}/contents/{path}", "contents:read", getContents),
		open("/repos/{owner}/{repo}/releases", "contents:read", listReleases),
		open("/repos/{owner}/{repo}/releases/latest", "contents:read", latestRelease),
		open("/repos/{owner}/{repo}/releases/tags/{tag}", "contents:read", releaseByTag),
		open("/repos/{owner}/{repo}/tags", "contents:read", listTags),
		open("/repos/{owner}/{repo}/branches", "contents:read", listBranches),
		{method: "GET", path: "/repos/{owner}/{repo}/collaborators/{username}/permission", need: "metadata:read", do: permissionOf},
		open(pvr, "metadata:read", func(c *call) {
			if c.repo.private {
				c.invalid("Repository", "private_vulnerability_reporting", "invalid", "only public repositories")
				return
			}
			c.reply(200, obj{"enabled": c.repo.pvr})
		}),
		{method: "PUT", path: pvr, need: "administration:write", do: func(c *call) { c.switchPVR(true) }},
		{method: "DELETE", path: pvr, need: "administration:write", do: func(c *call) { c.switchPVR(false) }},
		{method: "GET", path: "/orgs/{org}/teams/{team_slug}/memberships/{username}", need: "members:read", do: membership},
		{method: "GET", path: "/orgs/{org}/teams/{team_slug}/members", need: "members:read", do: teamMembers},
		{method: "GET", path: "/orgs/{org}/teams/{team_slug}", need: "members:read", do: func(c *call) {
			if t := c.team(); t != nil {
				c.reply(200, teamObj(t))
			}
		}},
		{method: "GET", path: "/users/{username}", auth: asAnyone, do: func(c *call) {
			a := c.accounts[fold(c.params["username"])]
			if a == nil {
				c.notFound()
				return
			}
			o, _ := userObj(a).(obj)
			o["name"], o["company"], o["email"], o["created_at"] = nil, nil, nil, "2020-01-01T00:00:00Z"
			c.reply(200, o)
		}},
	}
}

// showRepo adds what only the single repository's answer has.
func showRepo(c *call) {
	o := c.repoObj(c.repo)
	if c.repo.owner.org {
		o["organization"] = userObj(c.repo.owner)
	}
	c.reply(200, o)
}

func (c *call) switchPVR(on bool) {
	if c.repo.private {
		c.invalid("Repository", "private_vulnerability_reporting", "invalid", "only public repositories")
		return
	}
	c.repo.pvr = on
	c.reply(204, nil)
}

// permissionOf folds the five roles into the three of old, and keeps the role
// in role_name.
//
// https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
func permissionOf(c *call) {
	a := c.accounts[fold(c.params["username"])]
	if a == nil || a.org {
		c.notFound()
		return
	}
	level := c.level(a, c.repo)
	old := roleName(level)
	switch level {
	case triage:
		old = "read"
	case maintain:
		old = "write"
	}
	u, _ := userObj(a).(obj)
	u["role_name"] = roleName(level)
	u["permissions"] = obj{
		"pull": level >= read, "triage": level >= triage, "push": level >= write,
		"maintain": level >= maintain, "admin": level >= admin,
	}
	c.reply(200, obj{"permission": old, "role_name": roleName(level), "user": u})
}

// team finds {org}/{team_slug} of the caller's own organisation; others' teams
// are a secret.
func (c *call) team() *team {
	org := c.accounts[fold(c.params["org"])]
	if org == nil || org != c.tok.inst.owner {
		c.notFound()
		return nil
	}
	t := org.teams[fold(c.params["team_slug"])]
	if t == nil {
		c.notFound()
	}
	return t
}

// membership is 404 for everybody who is not in the team, and for strangers
// alike.
//
// https://docs.github.com/rest/teams/members#get-team-membership-for-a-user
func membership(c *call) {
	t := c.team()
	if t == nil {
		return
	}
	a := c.accounts[fold(c.params["username"])]
	if a == nil || !t.has(a) {
		c.notFound()
		return
	}
	role := "member"
	if t.org.owners[fold(a.login)] { // owners are maintainers of all their teams
		role = "maintainer"
	}
	c.reply(200, obj{
		"state": "active", "role": role,
		"url": fmt.Sprintf("%s/organizations/%d/team/%d/memberships/%s", apiURL, t.org.id, t.id, a.login),
	})
}

func teamMembers(c *call) {
	t := c.team()
	if t == nil {
		return
	}
	from, to := c.page(len(t.members))
	out := []any{}
	for _, a := range t.members[from:to] {
		out = append(out, userObj(a))
	}
	c.reply(200, out)
}

// act is the beginning of everything a person does in a repository.
func (s *Sim) act(login, full string, atLeast int) (*account, *repo, error) {
	a, err := s.person(login)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.lookup(full)
	if err != nil {
		return nil, nil, err
	}
	switch have := s.level(a, r); {
	case have == none:
		return nil, nil, errors.New("404")
	case have < atLeast:
		return nil, nil, fmt.Errorf("%s may only %s on %s, this needs %s", login, roleName(have), full, roleName(atLeast))
	case r.archived:
		return nil, nil, fmt.Errorf("%s is archived", full)
	}
	return a, r, nil
}
