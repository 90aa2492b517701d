package hubsim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

const (
	apiURL = "https://api.github.com"
	webURL = "https://github.com"
)

// account is a person, an organisation or the App's bot.
type account struct {
	id     int64
	login  string
	org    bool
	bot    bool
	owners map[string]bool  // of an organisation, by lower-case login
	teams  map[string]*team // of an organisation, by slug
}

type team struct {
	id      int64
	slug    string
	org     *account
	members []*account
	repos   map[int64]string // repository id -> permission
}

func (t *team) has(a *account) bool { return slices.Contains(t.members, a) }

// AddUser makes people. One that exists is left alone.
func (s *Sim) AddUser(logins ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range logins {
		s.ensure(l, false)
	}
}

// AddOrg makes an organisation.
func (s *Sim) AddOrg(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ensure(login, true)
}

// AddTeam makes a team or adds to one. Unknown members become people.
func (s *Sim) AddTeam(org, slug string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.ensure(org, true)
	t := o.teams[fold(slug)]
	if t == nil {
		t = &team{id: s.id(), slug: slug, org: o, repos: map[int64]string{}}
		o.teams[fold(slug)] = t
	}
	for _, m := range members {
		if a := s.ensure(m, false); !t.has(a) {
			t.members = append(t.members, a)
		}
	}
}

// RemoveFromTeam takes a person out of a team.
func (s *Sim) RemoveFromTeam(org, slug, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.ensure(org, true).teams[fold(slug)]; t != nil {
		t.members = slices.DeleteFunc(t.members, func(a *account) bool { return fold(a.login) == fold(login) })
	}
}

// AddOwner makes a person an owner of an organisation: admin of all its
// repositories.
func (s *Sim) AddOwner(org, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ensure(org, true).owners[fold(s.ensure(login, false).login)] = true
}

// Grant gives a person read, triage, write, maintain or admin on a
// repository ("owner/name"); "" or "none" takes it away. It panics on a
// repository that does not exist, as test set-up is the programmer's.
func (s *Sim) Grant(repo, login, permission string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	if permission == "none" {
		permission = ""
	}
	r.grants[fold(s.ensure(login, false).login)] = permission
}

// GrantTeam gives a team of the repository's organisation a permission.
func (s *Sim) GrantTeam(repo, slug, permission string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.mustRepo(repo)
	t := r.owner.teams[fold(slug)]
	if t == nil {
		panic("hubsim: no team " + r.owner.login + "/" + slug)
	}
	t.repos[r.id] = permission
}

// ensure finds an account or makes one.
func (s *Sim) ensure(login string, org bool) *account {
	if a := s.accounts[fold(login)]; a != nil {
		return a
	}
	a := &account{id: s.id(), login: login, org: org, owners: map[string]bool{}, teams: map[string]*team{}}
	s.accounts[fold(login)] = a
	return a
}

// person finds somebody who can act; organisations cannot.
func (s *Sim) person(login string) (*account, error) {
	a := s.accounts[fold(login)]
	if a == nil || a.org || a.bot {
		return nil, fmt.Errorf("no such person: %q", login)
	}
	return a, nil
}

// viewer is nil for the logged-out public.
func (s *Sim) viewer(login string) (*account, error) {
	if login == "" || login == "public" {
		return nil, nil
	}
	return s.person(login)
}

// The ladder of repository roles.
const (
	none = iota
	read
	triage
	write
	maintain
	admin
)

func rank(permission string) int {
	return max(none, slices.Index([]string{"none", "read", "triage", "write", "maintain", "admin"}, permission))
}

func roleName(level int) string {
	return []string{"none", "read", "triage", "write", "maintain", "admin"}[level]
}

// level says what somebody may do on a repository. The App's bot is not a
// collaborator: its rights are those of its installation.
func (s *Sim) level(a *account, r *repo) int {
	best := none
	if !r.private {
		best = read
	}
	if a == nil || a.bot {
		return best
	}
	if r.owner == a || r.owner.owners[fold(a.login)] {
		return admin
	}
	best = max(best, rank(r.grants[fold(a.login)]))
	for _, t := range r.owner.teams {
		if p, ok := t.repos[r.id]; ok && t.has(a) {
			best = max(best, rank(p))
		}
	}
	return best
}

// association is GitHub's author_association: a hint for people, not proof of
// any right.
func (s *Sim) association(a *account, r *repo) string {
	switch {
	case a == r.owner:
		return "OWNER"
	case a.bot:
		return "NONE"
	case r.owner.org && s.member(a, r.owner):
		return "MEMBER"
	case rank(r.grants[fold(a.login)]) > none:
		return "COLLABORATOR"
	}
	return "NONE"
}

// member of an organisation: an owner, or in any of its teams.
func (s *Sim) member(a, org *account) bool {
	if org.owners[fold(a.login)] {
		return true
	}
	for _, t := range org.teams {
		if t.has(a) {
			return true
		}
	}
	return false
}

// nodeID looks like GitHub's global ids; nobody may take it apart.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, id))
}

// userObj is GitHub's "simple user"; null for nobody (a deleted account).
func userObj(a *account) any {
	if a == nil {
		return nil
	}
	kind, node, page := "User", "U", webURL+"/"+a.login
	switch {
	case a.org:
		kind, node = "Organization", "O"
	case a.bot:
		kind, node, page = "Bot", "BOT", webURL+"/apps/"+strings.TrimSuffix(a.login, "[bot]")
	}
	u := apiURL + "/users/" + strings.NewReplacer("[", "%5B", "]", "%5D").Replace(a.login)
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID(node, a.id), "type": kind, "site_admin": false,
		"avatar_url":  fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", a.id),
		"gravatar_id": "", "url": u, "html_url": page,
		"organizations_url": u + "/orgs", "repos_url": u + "/repos", "events_url": u + "/events{/privacy}",
		"user_view_type": "public",
	}
}

func orgObj(a *account) obj {
	u := apiURL + "/orgs/" + a.login
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID("O", a.id), "url": u, "repos_url": u + "/repos",
		"hooks_url": u + "/hooks", "members_url": u + "/members{/member}", "description": nil,
		"avatar_url": fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", a.id),
	}
}

// teamObj is a team as advisories list their collaborators.
func teamObj(t *team) obj {
	u := fmt.Sprintf("%s/organizations/%d/team/%d", apiURL, t.org.id, t.id)
	return obj{
		"id": t.id, "node_id": nodeID("T", t.id), "name": t.slug, "slug": fold(t.slug), "description": nil,
		"privacy": "closed", "permission": "pull", "notification_setting": "notifications_enabled", "parent": nil,
		"url": u, "html_url": webURL + "/orgs/" + t.org.login + "/teams/" + fold(t.slug),
		"members_url": u + "/members{/member}", "repositories_url": u + "/repos",
	}
}
