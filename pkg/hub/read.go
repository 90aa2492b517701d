package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Advisory is a repository security advisory, decoded leniently: real answers differ from the
// published schema, which is why go-github's type is not used.
type Advisory struct {
	GHSA        string    `json:"ghsa_id"`
	URL         string    `json:"url"`
	CVE         string    `json:"cve_id"`
	HTMLURL     string    `json:"html_url"`
	State       string    `json:"state"`
	Summary     string    `json:"summary"`
	Description string    `json:"description"`
	Severity    string    `json:"severity"`
	Author      *Person   `json:"author"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
	Submission  *struct {
		Accepted bool `json:"accepted"`
	} `json:"submission"`
	CVSS struct {
		V3 score `json:"cvss_v3"`
		V4 score `json:"cvss_v4"`
	} `json:"cvss_severities"`
	Vulnerabilities []struct {
		Patched string `json:"patched_versions"`
	} `json:"vulnerabilities"`
	Credits []struct {
		User  Person `json:"user"`
		Type  string `json:"type"`
		State string `json:"state"`
	} `json:"credits_detailed"`
	Users []Person `json:"collaborating_users"`
	Teams []struct {
		Slug string `json:"slug"`
	} `json:"collaborating_teams"`
	Repository *struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	} `json:"repository"`
}

// Person is an account.
type Person struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

// Comment is a comment on an advisory. The API is a preview without a published schema: the
// author is looked for under both names that were seen. Source: facts/github.md 2.2.
type Comment struct {
	ID      int64     `json:"id"`
	Body    string    `json:"body"`
	User    *Person   `json:"user"`
	Author  *Person   `json:"author"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// By is the author's login, "" if GitHub does not tell.
func (c Comment) By() string {
	switch {
	case c.User != nil:
		return c.User.Login
	case c.Author != nil:
		return c.Author.Login
	default:
		return ""
	}
}

// Advisory reads one advisory.
func (h *Hub) Advisory(ctx context.Context, inst int64, r disclosure.Repo, ghsa string) (a Advisory, err error) {
	if _, err = h.get(ctx, inst, in(r.Owner, r.Name, "security-advisories", ghsa), &a); err != nil {
		return a, fmt.Errorf("read %s %s: %w", r, ghsa, err)
	}
	return a, nil
}

type score struct {
	Vector string `json:"vector_string"`
}

// scored reports whether a CVSS vector stands on the advisory.
func (a Advisory) scored(vector string) bool {
	return vector == a.CVSS.V3.Vector || vector == a.CVSS.V4.Vector
}

// Of is the repository of an advisory as its address names it: an organisation's list says it
// nowhere else.
func (a Advisory) Of() (owner, name string) {
	_, path, _ := strings.Cut(a.URL, "/repos/")
	parts := strings.Split(path, "/")
	if len(parts) < 2 {
		return "", ""
	}
	return parts[0], parts[1]
}

// Advisories lists advisories by last change, newest first, down to since and including it, for
// GitHub's times are whole seconds. An empty list may mean a missing permission.
func (h *Hub) Advisories(ctx context.Context, inst int64, r disclosure.Repo, since time.Time) ([]Advisory, error) {
	out, err := h.advisories(ctx, inst, in(r.Owner, r.Name, "security-advisories"), since)
	if err != nil {
		return nil, fmt.Errorf("list advisories of %s: %w", r, err)
	}
	return out, nil
}

// OrgAdvisories is Advisories for all repositories of an organisation, those where the App is not
// installed among them.
func (h *Hub) OrgAdvisories(ctx context.Context, inst int64, org string, since time.Time) ([]Advisory, error) {
	out, err := h.advisories(ctx, inst, "orgs/"+url.PathEscape(org)+"/security-advisories", since)
	if err != nil {
		return nil, fmt.Errorf("list advisories of %s: %w", org, err)
	}
	return out, nil
}

func (h *Hub) advisories(ctx context.Context, inst int64, path string, since time.Time) (out []Advisory, err error) {
	const query = "?sort=updated&direction=desc&per_page=100"
	for next := path + query; next != ""; {
		var page []Advisory
		res, err := h.get(ctx, inst, next, &page)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			if a.Updated.Before(since) {
				return out, nil
			}
			out = append(out, a)
		}
		next = ""
		if res.After != "" {
			next = path + query + "&after=" + url.QueryEscape(res.After)
		}
	}
	return out, nil
}

// ErrNoComments says that the advisory comments API is not to be had for an advisory.
var ErrNoComments = errors.New("advisory comments are not available through the API")

// Comments lists the comments of an advisory that changed since a moment, oldest first.
func (h *Hub) Comments(ctx context.Context, inst int64, r disclosure.Repo, ghsa string, since time.Time) ([]Comment, error) {
	base := in(r.Owner, r.Name, "security-advisories", ghsa, "comments") + "?per_page=100"
	if !since.IsZero() {
		base += "&since=" + since.UTC().Format(time.RFC3339)
	}
	var out []Comment
	for page := 1; page != 0; {
		var cs []Comment
		res, err := h.get(ctx, inst, fmt.Sprintf("%s&page=%d", base, page), &cs)
		if err != nil {
			return nil, fmt.Errorf("list comments of %s %s: %w", r, ghsa, err)
		}
		out = append(out, cs...)
		page = res.NextPage
	}
	slices.SortStableFunc(out, func(a, b Comment) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// Issue reads one issue.
func (h *Hub) Issue(ctx context.Context, inst int64, r disclosure.Repo, n int) (i *github.Issue, err error) {
	return h.issue(ctx, inst, r, n, reading)
}

// issue reads on behalf of a call of some kind: what shortens an exposure must not wait for the
// right to look.
func (h *Hub) issue(ctx context.Context, inst int64, r disclosure.Repo, n int, k callKind) (i *github.Issue, err error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	err = h.call(ctx, inst, k, func() (err error) {
		i, _, err = c.Issues.Get(ctx, r.Owner, r.Name, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s#%d: %w", r, n, err)
	}
	return i, nil
}

// IssueComment reads one comment on an issue.
func (h *Hub) IssueComment(ctx context.Context, inst int64, r disclosure.Repo, id int64) (m *github.IssueComment, err error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	err = h.call(ctx, inst, urgent, func() (err error) {
		m, _, err = c.Issues.GetComment(ctx, r.Owner, r.Name, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read comment %d of %s: %w", id, r, err)
	}
	return m, nil
}

// Maintainer asks GitHub whether somebody may command in a repository, now: a member of one of
// the teams, or with permission write, maintain or admin. Whoever GitHub does not vouch for may not.
func (h *Hub) Maintainer(ctx context.Context, inst int64, r disclosure.Repo, login string, teams []string) (bool, error) {
	c, err := h.client(inst)
	if err != nil {
		return false, err
	}
	for _, team := range teams {
		var m *github.Membership
		err := h.call(ctx, inst, reading, func() (err error) {
			m, _, err = c.Teams.GetTeamMembershipBySlug(ctx, r.Owner, team, login)
			return err
		})
		switch {
		case err == nil && m.GetState() == "active":
			return true, nil
		case err != nil && !IsFinal(err):
			return false, fmt.Errorf("is %s in %s/%s: %w", login, r.Owner, team, err)
		}
	}
	return h.Writer(ctx, inst, r, login)
}

// Writer reports whether somebody has permission write, maintain or admin on a repository.
func (h *Hub) Writer(ctx context.Context, inst int64, r disclosure.Repo, login string) (bool, error) {
	c, err := h.client(inst)
	if err != nil {
		return false, err
	}
	var p *github.RepositoryPermissionLevel
	err = h.call(ctx, inst, reading, func() (err error) {
		p, _, err = c.Repositories.GetPermissionLevel(ctx, r.Owner, r.Name, login)
		return err
	})
	switch {
	case err == nil:
		return slices.Contains([]string{"admin", "maintain", "write"}, p.GetPermission()), nil
	case IsFinal(err):
		return false, nil // nobody GitHub knows there, or not ours to ask: no
	default:
		return false, fmt.Errorf("permission of %s on %s: %w", login, r, err)
	}
}

// Repo reads a repository.
func (h *Hub) Repo(ctx context.Context, inst int64, owner, name string) (r *github.Repository, err error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	err = h.call(ctx, inst, reading, func() (err error) {
		r, _, err = c.Repositories.Get(ctx, owner, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", owner, name, err)
	}
	return r, nil
}

// Private reports whether a repository is private right now, which a tracker must be. What GitHub may call
// visible one day is not.
func (h *Hub) Private(ctx context.Context, inst int64, owner, name string) (disclosure.Repo, bool, error) {
	r, err := h.Repo(ctx, inst, owner, name)
	if err != nil {
		return disclosure.Repo{}, false, err
	}
	repo := disclosure.Repo{ID: r.GetID(), Owner: r.GetOwner().GetLogin(), Name: r.GetName()}
	seen := r.GetVisibility() // older servers do not say it
	return repo, r.GetPrivate() && (seen == "" || strings.EqualFold(seen, "private")), nil
}

// PVR reports whether private vulnerability reporting is switched on.
func (h *Hub) PVR(ctx context.Context, inst int64, r disclosure.Repo) (bool, error) {
	var out struct {
		Enabled bool `json:"enabled"`
	}
	_, err := h.get(ctx, inst, in(r.Owner, r.Name, "private-vulnerability-reporting"), &out)
	if IsFinal(err) {
		return false, nil // private repositories have none
	}
	if err != nil {
		return false, fmt.Errorf("private reporting of %s: %w", r, err)
	}
	return out.Enabled, nil
}

// Tags lists the tags of the newest full releases, newest first.
func (h *Hub) Tags(ctx context.Context, inst int64, r disclosure.Repo) ([]string, error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	var rs []*github.RepositoryRelease
	err = h.call(ctx, inst, reading, func() (err error) {
		rs, _, err = c.Repositories.ListReleases(ctx, r.Owner, r.Name, &github.ListOptions{PerPage: 30})
		return err
	})
	if err != nil && As(err).Kind != Gone {
		return nil, fmt.Errorf("list releases of %s: %w", r, err)
	}
	var out []string
	for _, rel := range rs {
		if !rel.GetDraft() && !rel.GetPrerelease() {
			out = append(out, rel.GetTagName())
		}
	}
	return out, nil
}

// Policy reads the policy file of a repository or of its owner. Source is "" when there is none. ErrWithheld: there
// is one, and GitHub does not give it out.
func (h *Hub) Policy(ctx context.Context, inst int64, r disclosure.Repo) (text []byte, source string, err error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, "", err
	}
	ctx = conditionally(ctx)
	out := false
	err = h.call(ctx, inst, loading, func() error {
		found, err := h.loader.LoadConfig(ctx, c, r.Owner, r.Name, "")
		if out = err != nil && withheld(err); out {
			return nil
		}
		if err != nil || found.IsUndefined() {
			return err
		}
		text, source = found.Content, strings.TrimSuffix(found.Source, "@")+"/"+found.Path
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the policy of %s: %w", r, err)
	}
	if !out {
		return text, source, nil
	}
	source = r.Owner + "/.github/" + OwnerPolicyPath
	if _, err := h.File(ctx, inst, r, PolicyPath); errors.Is(err, ErrWithheld) {
		source = r.String() + "/" + PolicyPath
	}
	return nil, source, fmt.Errorf("read the policy of %s: %w", r, &Trouble{Kind: Refused, Err: ErrWithheld})
}

// ErrWithheld says that GitHub left the content of a file out, as it does over 1 MB.
var ErrWithheld = errors.New("GitHub does not give out what is in the file: it is over 1 MB")

// withheld recognises that. go-github has no type for this error.
func withheld(err error) bool {
	return strings.HasPrefix(reason(err), "unsupported content encoding")
}

// File reads one file of the default branch.
func (h *Hub) File(ctx context.Context, inst int64, r disclosure.Repo, path string) (string, error) {
	c, err := h.client(inst)
	if err != nil {
		return "", err
	}
	var f *github.RepositoryContent
	err = h.call(ctx, inst, reading, func() (err error) {
		f, _, _, err = c.Repositories.GetContents(ctx, r.Owner, r.Name, path, nil)
		return err
	})
	text := ""
	if err == nil && f != nil {
		if text, err = f.GetContent(); err != nil {
			err = &Trouble{Kind: Refused, Err: ErrWithheld}
		}
	}
	if err != nil {
		return "", fmt.Errorf("read %s of %s: %w", path, r, err)
	}
	return text, nil
}
