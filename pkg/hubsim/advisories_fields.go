package hubsim

import (
	"regexp"
	"slices"
	"strings"
)

// applyAdvisory puts the fields of a create or update request into an
// advisory. Arrays replace; what is absent stays. It answers 422 itself.
//
// https://docs.github.com/rest/security-advisories/repository-advisories
func (c *call) applyAdvisory(a *advisory) bool {
	bad := func(field, message string) bool {
		c.invalid("RepositoryAdvisory", field, "custom", message)
		return false
	}
	if v, given := c.str("summary"); given {
		if v == "" || len([]rune(v)) > 1024 {
			return bad("summary", "summary must have 1 to 1024 characters")
		}
		a.summary = v
	}
	if v, given := c.str("description"); given {
		if len([]rune(v)) > 65535 {
			return bad("description", "description is too long (maximum is 65535 characters)")
		}
		a.description = v
	}
	severity, hasSeverity := c.str("severity")
	vector, hasVector := c.str("cvss_vector_string")
	switch {
	case severity != "" && vector != "":
		return bad("severity", "severity and cvss_vector_string cannot both be given")
	case severity != "" && !slices.Contains([]string{"critical", "high", "medium", "low"}, severity):
		return bad("severity", "severity must be critical, high, medium or low")
	case vector != "" && !regexp.MustCompile(`^CVSS:(3\.[01]|4\.0)/\S+$`).MatchString(vector):
		return bad("cvss_vector_string", "not a CVSS vector")
	}
	if hasSeverity {
		a.severity = severity
		if severity != "" {
			a.cvss = ""
		}
	}
	if hasVector {
		a.cvss = vector
	}
	if v, given := c.str("cve_id"); given {
		if v != "" && !regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`).MatchString(v) {
			return bad("cve_id", "not a CVE id")
		}
		a.cve = v
	}
	if v, given := c.list("cwe_ids"); given {
		for _, x := range v {
			if !strings.HasPrefix(x, "CWE-") {
				return bad("cwe_ids", "not a CWE id: "+x)
			}
		}
		a.cwes = v
	}
	return c.applyVulns(a) && c.applyCredits(a) && c.applyCollaborators(a)
}

// applyVulns: an advisory without any is refused, as is an ecosystem that is
// not in GitHub's list.
func (c *call) applyVulns(a *advisory) bool {
	v, given := c.body["vulnerabilities"]
	if !given || v == nil {
		return true
	}
	list, _ := v.([]any)
	if len(list) == 0 {
		c.invalid("RepositoryAdvisory", "vulnerabilities", "custom", "Advisory must have at least one vulnerability")
		return false
	}
	known := []string{
		"rubygems", "npm", "pip", "maven", "nuget", "composer", "go", "rust", "erlang", "actions", "pub", "swift", "other",
	}
	a.vulns = []any{}
	for _, x := range list {
		in, _ := x.(obj)
		pkg, _ := in["package"].(obj)
		if eco, _ := pkg["ecosystem"].(string); !slices.Contains(known, eco) {
			c.invalid("RepositoryAdvisory", "ecosystem", "invalid", "unknown ecosystem")
			return false
		}
		a.vulns = append(a.vulns, vulnObj(in))
	}
	return true
}

// applyCredits keeps the answer of somebody who stays credited; everybody else
// is asked anew.
func (c *call) applyCredits(a *advisory) bool {
	v, given := c.body["credits"]
	if !given || v == nil {
		return true
	}
	kinds := []string{
		"analyst", "finder", "reporter", "coordinator", "remediation_developer", "remediation_reviewer",
		"remediation_verifier", "tool", "sponsor", "other",
	}
	list, _ := v.([]any)
	had := a.credits
	a.credits = nil
	for _, x := range list {
		in, _ := x.(obj)
		login, _ := in["login"].(string)
		kind, _ := in["type"].(string)
		who := c.accounts[fold(login)]
		if who == nil || who.org || !slices.Contains(kinds, kind) {
			c.invalid("RepositoryAdvisory", "credits", "invalid", "unknown login or type: "+login+" "+kind)
			return false
		}
		next := &credit{who, kind, "pending"}
		for _, h := range had {
			if h.who == who && h.kind == kind {
				next.state = h.state
			}
		}
		a.credits = append(a.credits, next)
	}
	return true
}

// applyCollaborators replaces people and teams. Who leaves one out shuts that
// person out: read, add, write.
func (c *call) applyCollaborators(a *advisory) bool {
	if v, given := c.list("collaborating_users"); given {
		a.people = nil
		for _, login := range v {
			who := c.accounts[fold(login)]
			if who == nil || who.org || who.bot {
				c.invalid("RepositoryAdvisory", "collaborating_users", "invalid", "unknown user: "+login)
				return false
			}
			if !slices.Contains(a.people, who) {
				a.people = append(a.people, who)
			}
		}
	}
	if v, given := c.list("collaborating_teams"); given {
		a.teams = nil
		for _, slug := range v {
			t := a.repo.owner.teams[fold(slug)]
			if t == nil {
				c.invalid("RepositoryAdvisory", "collaborating_teams", "invalid", "unknown team: "+slug)
				return false
			}
			if !slices.Contains(a.teams, t) {
				a.teams = append(a.teams, t)
			}
		}
	}
	return true
}
