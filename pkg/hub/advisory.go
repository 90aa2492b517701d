package hub

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/mark"
)

// Advisories are written with requests of our own: go-github has none of these calls.
// Source: facts/github.md 2.1 and 2.3.

type advisoryCredit struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

type advisoryVulnerability struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name,omitempty"`
	} `json:"package"`
}

type newAdvisory struct {
	Summary         string                  `json:"summary"`
	Description     string                  `json:"description"`
	Vulnerabilities []advisoryVulnerability `json:"vulnerabilities"`
	Credits         []advisoryCredit        `json:"credits,omitempty"`
}

func (p performer) advisoryPath(parts ...string) string {
	return in(p.e.Repo.Owner, p.e.Repo.Name, append([]string{"security-advisories", p.e.GHSA}, parts...)...)
}

// openAdvisory opens a draft with the original text word for word and our block behind it, whose
// end is the mark.
func (p performer) openAdvisory(ctx context.Context) (disclosure.Receipt, error) {
	if p.again {
		if r, found, err := p.findAdvisory(ctx); err != nil || found {
			return r, err
		}
	}
	v := advisoryVulnerability{}
	v.Package.Ecosystem, v.Package.Name = p.e.Package.Ecosystem, p.e.Package.Name
	body := newAdvisory{
		Summary: p.e.SecretTop.Reveal(), Description: p.e.Secret.Reveal() + "\n\n" + p.e.Body, Vulnerabilities: []advisoryVulnerability{v},
	}
	if p.e.Credit != "" {
		body.Credits = []advisoryCredit{{Login: p.e.Credit, Type: "reporter"}}
	}
	path := in(p.e.Repo.Owner, p.e.Repo.Name, "security-advisories")
	var out Advisory
	err := p.send(ctx, p.inst, creating, http.MethodPost, path, body, &out)
	if err != nil && As(err).Status == http.StatusUnprocessableEntity && body.Credits != nil {
		// An account that cannot be credited must not cost the report its private place.
		body.Credits = nil
		err = p.send(ctx, p.inst, creating, http.MethodPost, path, body, &out)
	}
	return disclosure.Receipt{GHSA: out.GHSA, URL: out.HTMLURL}, err
}

func (p performer) findAdvisory(ctx context.Context) (disclosure.Receipt, bool, error) {
	list, err := p.Advisories(ctx, p.inst, p.e.Repo, p.since)
	if err != nil {
		return disclosure.Receipt{}, false, err
	}
	login, err := p.Login(ctx)
	if err != nil {
		return disclosure.Receipt{}, false, err
	}
	for _, a := range list {
		// Nobody else can write the mark's token, so an author that GitHub leaves out is no matter, nor what
		// people wrote behind it.
		if (a.Author == nil || a.Author.Login == login) && mark.Stands(a.Description, p.e.Mark) {
			return disclosure.Receipt{GHSA: a.GHSA, URL: a.HTMLURL}, true, nil
		}
	}
	return disclosure.Receipt{}, false, nil
}

// editAdvisory sets single fields, those only that differ.
func (p performer) editAdvisory(ctx context.Context) (disclosure.Receipt, error) {
	a, err := p.Advisory(ctx, p.inst, p.e.Repo, p.e.GHSA)
	if err != nil {
		return disclosure.Receipt{}, err
	}
	patch := map[string]any{}
	if p.e.State != "" && a.State != p.e.State {
		if a.State == "published" {
			return disclosure.Receipt{Note: "the advisory is published"}, nil
		}
		if p.e.From != "" && a.State != p.e.From {
			return disclosure.Receipt{Note: "the advisory is " + a.State}, nil
		}
		patch["state"] = p.e.State
	}
	if vector := strings.HasPrefix(p.e.Severity, "CVSS:"); vector && !a.scored(p.e.Severity) {
		patch["cvss_vector_string"] = p.e.Severity
	} else if !vector && p.e.Severity != "" && a.Severity != p.e.Severity {
		patch["severity"] = p.e.Severity
	}
	if p.e.Strip != "" {
		if clean, ok := mark.Remove(a.Description, p.e.Strip); ok {
			patch["description"] = clean
		}
	}
	if len(patch) == 0 {
		return disclosure.Receipt{}, nil
	}
	return disclosure.Receipt{}, p.send(ctx, p.inst, writing, http.MethodPatch, p.advisoryPath(), patch, nil)
}

// invite adds people and teams to the collaborators. GitHub replaces the whole array, so the ones
// who are there are read, kept, and looked for in the answer.
func (p performer) invite(ctx context.Context) (disclosure.Receipt, error) {
	a, err := p.Advisory(ctx, p.inst, p.e.Repo, p.e.GHSA)
	if err != nil {
		return disclosure.Receipt{}, err
	}
	patch := map[string][]string{}
	users := make([]string, 0, len(a.Users)+len(p.e.People))
	for _, u := range a.Users {
		users = append(users, u.Login)
	}
	if added := with(users, p.e.People); len(added) > len(users) {
		patch["collaborating_users"] = added
	}
	teams := make([]string, 0, len(a.Teams)+len(p.e.Teams))
	for _, t := range a.Teams {
		teams = append(teams, t.Slug)
	}
	if added := with(teams, p.e.Teams); len(added) > len(teams) {
		patch["collaborating_teams"] = added
	}
	if len(patch) == 0 {
		return disclosure.Receipt{}, nil
	}
	var after Advisory
	err = p.send(ctx, p.inst, writing, http.MethodPatch, p.advisoryPath(), patch, &after)
	if err != nil && As(err).Status == http.StatusUnprocessableEntity && len(patch) == 2 {
		// An account that cannot be added, a machine's perhaps, must not keep the team out.
		delete(patch, "collaborating_users")
		err = p.send(ctx, p.inst, writing, http.MethodPatch, p.advisoryPath(), patch, &after)
	}
	if err != nil {
		return disclosure.Receipt{}, err
	}
	return disclosure.Receipt{Note: p.missing(after)}, nil
}

// with appends what is not there yet; logins and slugs do not mind case.
func with(have, more []string) []string {
	out := slices.Clone(have)
	for _, m := range more {
		if !slices.ContainsFunc(out, func(h string) bool { return strings.EqualFold(h, m) }) {
			out = append(out, m)
		}
	}
	return out
}

// missing says who is not among the collaborators although GitHub took the call.
func (p performer) missing(a Advisory) string {
	for _, t := range p.e.Teams {
		if !slices.ContainsFunc(a.Teams, func(x struct {
			Slug string `json:"slug"`
		},
		) bool {
			return strings.EqualFold(x.Slug, t)
		}) {
			return "GitHub did not add the team " + t + " to the advisory"
		}
	}
	for _, u := range p.e.People {
		if !slices.ContainsFunc(a.Users, func(x Person) bool { return strings.EqualFold(x.Login, u) }) {
			return "GitHub did not add " + u + " to the advisory"
		}
	}
	return ""
}

// commentAdvisory posts a comment. There is no key that would make a second POST harmless and no
// way to delete one, hence the mark.
func (p performer) commentAdvisory(ctx context.Context) (disclosure.Receipt, error) {
	body := mark.Wrap(p.e.Body+p.e.Secret.Reveal(), p.e.Mark)
	if p.again {
		c, found, err := p.findAdvisoryComment(ctx)
		if err != nil || found {
			return disclosure.Receipt{ID: c.ID}, err
		}
	}
	var out Comment
	err := p.send(ctx, p.inst, creating, http.MethodPost, p.advisoryPath("comments"), map[string]string{"body": body}, &out)
	return disclosure.Receipt{ID: out.ID}, p.noComments(err)
}

// noComments tells a missing comments API from a vanished advisory.
func (p performer) noComments(err error) error {
	if t := As(err); IsFinal(err) {
		why := ErrNoComments
		if t.Kind == Refused { // GitHub says why: the repository may be archived
			why = fmt.Errorf("%w: %w", ErrNoComments, t.Err)
		}
		return &Trouble{Kind: Refused, Status: t.Status, Sent: t.Sent, Err: why}
	}
	return err
}

func (p performer) findAdvisoryComment(ctx context.Context) (Comment, bool, error) {
	login, err := p.Login(ctx)
	if err != nil {
		return Comment{}, false, err
	}
	cs, err := p.Comments(ctx, p.inst, p.e.Repo, p.e.GHSA, time.Time{})
	if err != nil {
		return Comment{}, false, p.noComments(err)
	}
	for _, c := range cs {
		// The preview has no schema: where it does not tell the author, the mark must do.
		if (c.By() == login || c.By() == "") && mark.Has(c.Body, p.e.Mark) {
			return c, true, nil
		}
	}
	return Comment{}, false, nil
}

// editStatus keeps one comment current: found by its mark, made if it is not there.
func (p performer) editStatus(ctx context.Context) (disclosure.Receipt, error) {
	body := mark.Wrap(p.e.Body, p.e.Mark)
	c, found, err := p.findAdvisoryComment(ctx)
	switch {
	case err != nil:
		return disclosure.Receipt{}, err
	case found && strings.TrimSpace(c.Body) == body:
		return disclosure.Receipt{ID: c.ID}, nil
	case found:
		err := p.send(ctx, p.inst, writing, http.MethodPatch, p.advisoryPath("comments", strconv.FormatInt(c.ID, 10)), map[string]string{"body": body}, nil)
		return disclosure.Receipt{ID: c.ID}, p.noComments(err)
	default:
		return p.commentAdvisory(ctx)
	}
}
