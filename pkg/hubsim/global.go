package hubsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// GlobalAdvisory is an entry of GitHub's advisory database.
type GlobalAdvisory struct {
	GHSA, CVE            string // GHSA "": one is made
	Summary, Description string
	Severity             string // critical, high, medium, low
	Ecosystem, Package   string
	Range, Patched       string
	References           []string
}

type globalAdvisory struct {
	GlobalAdvisory
	repoURL   string
	published time.Time
	comments  int
}

// Propagate copies a published advisory into the global database, which on
// GitHub happens some time after publication, and tells the App with
// security_advisory.published: no repository, no installation, no sender.
func (s *Sim) Propagate(ghsa string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.repos {
		a := r.advisory(ghsa)
		if a == nil {
			continue
		}
		if a.state != "published" {
			return fmt.Errorf("%s is %s, not published", ghsa, a.state)
		}
		g := &globalAdvisory{GlobalAdvisory: GlobalAdvisory{
			GHSA: a.ghsa, CVE: a.cve, Summary: a.summary, Description: a.description, Severity: a.severity,
			References: []string{a.page()},
		}, repoURL: a.api(), published: s.now(), comments: len(a.openComments())}
		if len(a.vulns) > 0 {
			v, _ := a.vulns[0].(obj)
			pkg, _ := v["package"].(obj)
			g.Ecosystem, _ = pkg["ecosystem"].(string)
			g.Package, _ = pkg["name"].(string)
			g.Range, _ = v["vulnerable_version_range"].(string)
			g.Patched, _ = v["patched_versions"].(string)
		}
		s.announce(g)
		return nil
	}
	return fmt.Errorf("no advisory %s", ghsa)
}

// Announce puts an advisory from elsewhere (say, an upstream library) into the
// global database and tells the App. Returns its GHSA id.
func (s *Sim) Announce(g GlobalAdvisory) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.GHSA == "" {
		g.GHSA = s.newGHSA()
	}
	s.announce(&globalAdvisory{GlobalAdvisory: g, published: s.now()})
	return g.GHSA
}

func (s *Sim) announce(g *globalAdvisory) {
	s.global = append(s.global, g)
	s.emit("security_advisory", "published", nil, nil, nil, obj{"security_advisory": g.hook()})
}

func (g *globalAdvisory) identifiers() []any {
	ids := []any{obj{"value": g.GHSA, "type": "GHSA"}}
	if g.CVE != "" {
		ids = append(ids, obj{"value": g.CVE, "type": "CVE"})
	}
	return ids
}

// hook is the webhook's shape, which differs from REST: severity "moderate",
// references and first_patched_version as objects.
func (g *globalAdvisory) hook() obj {
	refs := []any{}
	for _, u := range g.References {
		refs = append(refs, obj{"url": u})
	}
	severity := g.Severity
	if severity == "medium" {
		severity = "moderate"
	}
	var patched any
	if g.Patched != "" {
		patched = obj{"identifier": g.Patched}
	}
	cvss, both := cvssObj("")
	return obj{
		"ghsa_id": g.GHSA, "cve_id": orNil(g.CVE), "summary": g.Summary, "description": g.Description, "severity": severity,
		"identifiers": g.identifiers(), "references": refs, "published_at": stamp(g.published), "updated_at": stamp(g.published),
		"withdrawn_at": nil, "cvss": cvss, "cvss_severities": both, "cwes": []any{},
		"vulnerabilities": []any{obj{
			"package":  obj{"ecosystem": g.Ecosystem, "name": g.Package},
			"severity": severity, "vulnerable_version_range": g.Range, "first_patched_version": patched,
		}},
	}
}

func (g *globalAdvisory) rest() obj {
	cvss, both := cvssObj("")
	refs := g.References
	if refs == nil {
		refs = []string{}
	}
	return obj{
		"ghsa_id": g.GHSA, "cve_id": orNil(g.CVE), "url": apiURL + "/advisories/" + g.GHSA,
		"html_url": webURL + "/advisories/" + g.GHSA, "repository_advisory_url": orNil(g.repoURL),
		"summary": g.Summary, "description": g.Description, "type": "reviewed", "severity": g.Severity,
		"source_code_location": nil, "identifiers": g.identifiers(), "references": refs,
		"published_at": stamp(g.published), "updated_at": stamp(g.published), "github_reviewed_at": stamp(g.published),
		"nvd_published_at": nil, "withdrawn_at": nil, "cvss": cvss, "cvss_severities": both, "cwes": []any{}, "credits": []any{},
		"comments": g.comments,
		"vulnerabilities": []any{obj{
			"package":                  obj{"ecosystem": g.Ecosystem, "name": g.Package},
			"vulnerable_version_range": g.Range, "first_patched_version": orNil(g.Patched), "vulnerable_functions": []any{},
		}},
	}
}

func listGlobal(c *call) {
	var all []*globalAdvisory
	var keys []string
	q := c.query
	for _, g := range slices.Backward(c.global) {
		switch {
		case q.Get("ghsa_id") != "" && !strings.EqualFold(q.Get("ghsa_id"), g.GHSA),
			q.Get("cve_id") != "" && !strings.EqualFold(q.Get("cve_id"), g.CVE),
			q.Get("ecosystem") != "" && q.Get("ecosystem") != g.Ecosystem,
			q.Get("severity") != "" && q.Get("severity") != g.Severity,
			q.Get("affects") != "" && !slices.Contains(strings.Split(q.Get("affects"), ","), g.Package):
			continue
		}
		all = append(all, g)
		keys = append(keys, g.GHSA)
	}
	from, to := c.cursor(keys)
	out := []any{}
	for _, g := range all[from:to] {
		out = append(out, g.rest())
	}
	c.reply(200, out)
}

func getGlobal(c *call) {
	for _, g := range c.global {
		if strings.EqualFold(g.GHSA, c.params["ghsa_id"]) {
			c.reply(200, g.rest())
			return
		}
	}
	c.notFound()
}
