package hubsim

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// advisory is a repository security advisory. It has no number and no node id:
// repository and GHSA id are its name.
type advisory struct {
	repo        *repo
	ghsa        string
	cve         string
	summary     string
	description string
	severity    string
	cvss        string // vector
	state       string // triage, draft, published, closed, withdrawn
	fromPVR     bool
	accepted    bool
	author      *account
	publisher   *account
	created     time.Time
	updated     time.Time
	publishedAt time.Time
	closedAt    time.Time
	vulns       []any // as given, completed
	cwes        []string
	credits     []*credit
	people      []*account
	teams       []*team
	comments    []*comment
}

type credit struct {
	who   *account
	kind  string // analyst, finder, reporter, ...
	state string // pending, accepted, declined
}

func (a *advisory) page() string { return a.repo.page() + "/security/advisories/" + a.ghsa }

func (a *advisory) api() string { return a.repo.api() + "/security-advisories/" + a.ghsa }

// open comments are those that REST shows.
func (a *advisory) openComments() []*comment {
	var out []*comment
	for _, c := range a.comments {
		if !c.confidential {
			out = append(out, c)
		}
	}
	return out
}

// newGHSA makes an id in GitHub's alphabet, which has no vowels and no
// look-alikes.
func (s *Sim) newGHSA() string {
	const letters = "23456789cfghjmpqrvwx"
	h := sha256.Sum256(fmt.Appendf(nil, "ghsa %d", s.id()))
	out := []byte("GHSA")
	for i := range 12 {
		if i%4 == 0 {
			out = append(out, '-')
		}
		out = append(out, letters[int(h[i])%len(letters)])
	}
	return string(out)
}

func (s *Sim) newAdvisory(who *account, r *repo, state, summary, description string) *advisory {
	a := &advisory{
		repo: r, ghsa: s.newGHSA(), state: state, author: who, summary: summary, description: description,
		created: s.now(), updated: s.now(), vulns: []any{},
	}
	if state == "triage" { // from PVR: the reporter is let in and credited at once
		a.fromPVR = true
		a.people = []*account{who}
		a.credits = []*credit{{who, "reporter", "pending"}}
		a.vulns = []any{vulnObj(obj{"package": obj{"ecosystem": "", "name": ""}})}
	}
	r.advisories = append(r.advisories, a)
	s.wrote(who, advisoryPlace(a), "", summary+"\n"+description)
	return a
}

// reported is the webhook as it really comes, which is not as the schema says:
// what one wants to know is null, and only the sender tells who reported.
func (s *Sim) reported(who *account, a *advisory) {
	s.emit("repository_advisory", "reported", a.repo.owner, who, a.repo, obj{"repository_advisory": s.hookAdvisory(a)})
}

func (s *Sim) hookAdvisory(a *advisory) obj {
	o := s.advisoryObj(a)
	for _, k := range []string{"author", "created_at", "submission", "collaborating_users", "collaborating_teams", "private_fork"} {
		o[k] = nil
	}
	o["credits"], o["credits_detailed"] = []any{}, []any{}
	delete(o, "comments")
	delete(o, "comments_url")
	if len(a.vulns) == 0 || a.fromPVR {
		o["vulnerabilities"] = []any{vulnObj(obj{"package": obj{"ecosystem": "", "name": ""}})}
	}
	return o
}

// setAdvisoryState moves an advisory; only publishing is told by a webhook.
// Publishing closes the comments and cannot be undone.
func (s *Sim) setAdvisoryState(who *account, a *advisory, state string) error {
	if err := a.mayBecome(state); err != nil || state == a.state {
		return err
	}
	switch state {
	case "draft":
		if a.state == "triage" {
			a.accepted = true
		}
		a.closedAt = time.Time{}
	case "closed":
		a.closedAt = s.now()
	case "published":
		a.publishedAt, a.publisher = s.now(), who
		if who == s.bot && !s.law.allow[a.ghsa] {
			s.violate("publish: the App published %s %s by itself", a.repo.full(), a.ghsa)
		}
	}
	a.state, a.updated = state, s.now()
	if state == "published" {
		s.emit("repository_advisory", "published", a.repo.owner, who, a.repo, obj{"repository_advisory": s.hookAdvisory(a)})
	}
	return nil
}

// mayBecome says which moves the state machine has.
func (a *advisory) mayBecome(state string) error {
	switch {
	case state == a.state:
		return nil
	case a.state == "published" || a.state == "withdrawn":
		return fmt.Errorf("a %s advisory stays %s", a.state, a.state)
	case state == "published" && a.state != "draft":
		return fmt.Errorf("a %s advisory cannot be published", a.state)
	}
	return nil
}

// access says what somebody may do on an advisory: admins everything,
// collaborators read and edit, others nothing before it is published.
func (s *Sim) access(who *account, a *advisory) int {
	if who == nil {
		return none
	}
	if s.level(who, a.repo) == admin {
		return admin
	}
	if slices.Contains(a.people, who) || slices.ContainsFunc(a.teams, func(t *team) bool { return t.has(who) }) {
		return write
	}
	return none
}

func (r *repo) advisory(ghsa string) *advisory {
	for _, a := range r.advisories {
		if fold(a.ghsa) == fold(ghsa) {
			return a
		}
	}
	return nil
}

func (s *Sim) advisoryObj(a *advisory) obj {
	ids := []any{obj{"value": a.ghsa, "type": "GHSA"}}
	if a.cve != "" {
		ids = append(ids, obj{"value": a.cve, "type": "CVE"})
	}
	var submission any
	if a.fromPVR {
		submission = obj{"accepted": a.accepted}
	}
	credits, detailed := []any{}, []any{}
	for _, c := range a.credits {
		credits = append(credits, obj{"login": c.who.login, "type": c.kind})
		detailed = append(detailed, obj{"user": userObj(c.who), "type": c.kind, "state": c.state})
	}
	teams, cwes := []any{}, []any{}
	for _, t := range a.teams {
		teams = append(teams, teamObj(t))
	}
	for _, c := range a.cwes {
		cwes = append(cwes, obj{"cwe_id": c, "name": c})
	}
	var commentsURL any = a.api() + "/comments"
	if a.state == "published" {
		commentsURL = nil
	}
	cvss, severities := cvssObj(a.cvss)
	return obj{
		"ghsa_id": a.ghsa, "cve_id": orNil(a.cve), "url": a.api(), "html_url": a.page(), "summary": a.summary,
		"description": a.description, "severity": orNil(a.severity), "author": userObj(a.author), "publisher": userObj(a.publisher),
		"identifiers": ids, "state": a.state, "created_at": stamp(a.created), "updated_at": stamp(a.updated),
		"published_at": stampOrNil(a.publishedAt), "closed_at": stampOrNil(a.closedAt), "withdrawn_at": nil,
		"submission": submission, "vulnerabilities": a.vulns, "cvss": cvss, "cvss_severities": severities,
		"cwes": cwes, "cwe_ids": a.cweIDs(), "credits": credits, "credits_detailed": detailed,
		"collaborating_users": users(a.people), "collaborating_teams": teams, "private_fork": nil,
		"comments": len(a.openComments()), "comments_url": commentsURL,
	}
}

func (a *advisory) cweIDs() []string {
	if a.cwes == nil {
		return []string{}
	}
	return a.cwes
}

// cvssObj always has both shapes; without a vector the insides are null. The
// score is not worked out (GitHub does): null here, to be read leniently.
func cvssObj(vector string) (old, both obj) {
	empty := obj{"vector_string": nil, "score": nil}
	old, v3, v4 := empty, empty, empty
	if vector != "" {
		old = obj{"vector_string": vector, "score": nil}
		if len(vector) > 6 && vector[:6] == "CVSS:4" {
			v4 = old
		} else {
			v3 = old
		}
	}
	return old, obj{"cvss_v3": v3, "cvss_v4": v4}
}

// vulnObj completes one entry of vulnerabilities.
func vulnObj(in obj) obj {
	pkg, _ := in["package"].(obj)
	out := obj{
		"package":                  obj{"ecosystem": pkg["ecosystem"], "name": pkg["name"]},
		"vulnerable_version_range": in["vulnerable_version_range"],
		"patched_versions":         in["patched_versions"],
		"vulnerable_functions":     []any{},
	}
	for _, k := range []string{"vulnerable_version_range", "patched_versions"} {
		if out[k] == nil {
			out[k] = ""
		}
	}
	if f, ok := in["vulnerable_functions"].([]any); ok {
		out["vulnerable_functions"] = f
	}
	return out
}

func (s *Sim) advisoryCommentObj(a *advisory, c *comment) obj {
	return obj{
		"id": c.id, "node_id": nodeID("RAC", c.id), "url": fmt.Sprintf("%s/comments/%d", a.api(), c.id),
		"html_url": fmt.Sprintf("%s#advisory-comment-%d", a.page(), c.id), "body": c.body, "user": userObj(c.author),
		"author_association": s.association(c.author, a.repo),
		"created_at":         stamp(c.created), "updated_at": stamp(c.updated),
	}
}
