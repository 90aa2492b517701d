package hubsim

import "time"

// IssueView is an issue laid open for tests, hidden text included.
type IssueView struct {
	ID                   int64
	Title, Body          string
	State, StateReason   string
	Labels, Assignees    []string
	Locked               bool
	Author               string
	Reactions            []string
	CreatedAt, UpdatedAt time.Time
	Comments             []CommentView
	Revisions            int // in the edit history, purged ones included
	Purged               int
}

// CommentView is a comment on an issue or an advisory.
type CommentView struct {
	ID                   int64
	Author, Body         string
	CreatedAt, UpdatedAt time.Time
	Reactions            []string
	Confidential         bool
	Minimized            string
}

// AdvisoryView is an advisory laid open for tests.
type AdvisoryView struct {
	GHSA, CVE            string
	Summary, Description string
	State                string
	FromPVR, Accepted    bool // submission and submission.accepted
	Author               string
	Collaborators        []string
	Teams                []string // slugs
	Credits              []CreditView
	Severity, CVSS       string
	CWEs                 []string
	Vulnerabilities      []VulnerabilityView
	Comments             []CommentView
	CreatedAt, UpdatedAt time.Time
}

// CreditView is one credit; State is pending, accepted or declined.
type CreditView struct{ Login, Type, State string }

// VulnerabilityView is one affected package.
type VulnerabilityView struct{ Ecosystem, Package, Range, Patched string }

// Issue lays an issue open; false if there is none or it is gone.
func (s *Sim) Issue(repo string, n int) (IssueView, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.lookup(repo)
	if err != nil || r.issues[n] == nil || r.issues[n].gone() {
		return IssueView{}, false
	}
	i := r.issues[n]
	v := IssueView{
		ID: i.id, Title: i.title, Body: i.body, State: i.state, StateReason: i.reason, Labels: names(i.labels),
		Assignees: logins(i.assignees), Locked: i.locked, Author: i.author.login, Reactions: contents(i.reactions),
		CreatedAt: i.created, UpdatedAt: i.updated, Comments: views(i.comments), Revisions: len(i.edits),
	}
	for _, e := range i.edits {
		if !e.deleted.IsZero() {
			v.Purged++
		}
	}
	return v, true
}

// AdvisoryOf lays an advisory open; false if there is none.
func (s *Sim) AdvisoryOf(repo, ghsa string) (AdvisoryView, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.lookup(repo)
	if err != nil {
		return AdvisoryView{}, false
	}
	a := r.advisory(ghsa)
	if a == nil {
		return AdvisoryView{}, false
	}
	v := AdvisoryView{
		GHSA: a.ghsa, CVE: a.cve, Summary: a.summary, Description: a.description, State: a.state, FromPVR: a.fromPVR,
		Accepted: a.accepted, Author: a.author.login, Collaborators: logins(a.people), Severity: a.severity, CVSS: a.cvss,
		CWEs: a.cwes, Comments: views(a.comments), CreatedAt: a.created, UpdatedAt: a.updated,
	}
	for _, t := range a.teams {
		v.Teams = append(v.Teams, t.slug)
	}
	for _, c := range a.credits {
		v.Credits = append(v.Credits, CreditView{c.who.login, c.kind, c.state})
	}
	for _, x := range a.vulns {
		in, _ := x.(obj)
		pkg, _ := in["package"].(obj)
		var out VulnerabilityView
		out.Ecosystem, _ = pkg["ecosystem"].(string)
		out.Package, _ = pkg["name"].(string)
		out.Range, _ = in["vulnerable_version_range"].(string)
		out.Patched, _ = in["patched_versions"].(string)
		v.Vulnerabilities = append(v.Vulnerabilities, out)
	}
	return v, true
}

func views(list []*comment) []CommentView {
	var out []CommentView
	for _, c := range list {
		out = append(out, CommentView{
			ID: c.id, Author: c.author.login, Body: c.body, CreatedAt: c.created, UpdatedAt: c.updated,
			Reactions: contents(c.reactions), Confidential: c.confidential, Minimized: c.minimized,
		})
	}
	return out
}

func contents(list []*reaction) []string {
	var out []string
	for _, x := range list {
		out = append(out, x.content)
	}
	return out
}
