package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Events that the sweep makes of what it finds. No webhook has a dot in its name.
const (
	FoundAdvisory = "heed.advisory"
	FoundComment  = "heed.advisory_comment"
	FoundHistory  = "heed.history"
	FoundPolicy   = "heed.policy"
	FoundIssue    = "heed.issue" // on a public issue, or in the tracker
	FoundSaid     = "heed.issue_comment"
)

// A Notice is what a delivery tells, as far as anybody here cares. It is a hint: whatever matters
// is asked of GitHub again.
type Notice struct {
	Event        string
	Action       string
	Installation int64
	Account      string  // whose installation it is; in installation events only
	Formerly     string  // the login of an account that was renamed
	Repos        []int64 // that an installation may see from now on
	Repo         disclosure.Repo
	Branch       string // default branch
	Private      bool   // the repository is not public
	Sender       Person
	Issue        *IssueNotice
	Comment      *CommentNotice
	GHSA         string
	Tag          string
	Ref          string
	Paths        []string // files that a push touched; nil when GitHub left the list out
}

// IssueNotice is an issue as a webhook shows it.
type IssueNotice struct {
	Number      int
	URL         string
	Title       disclosure.Embargoed
	Body        disclosure.Embargoed
	Author      Person
	State       string
	Locked      bool
	Labels      []string
	PullRequest bool
	Created     time.Time
	Updated     time.Time
}

// CommentNotice is a comment, on an issue or found on an advisory.
type CommentNotice struct {
	ID      int64
	URL     string
	Body    disclosure.Embargoed
	Author  Person
	Created time.Time
	Updated time.Time
}

// wire is the part of all payloads that is read. Everything is optional: GitHub's real payloads
// leave out what its schema promises. Source: facts/github.md 1.2 and 1.3.
type wire struct {
	Action       string `json:"action"`
	Installation *struct {
		ID      int64   `json:"id"`
		Account *Person `json:"account"` // in installation events only
	} `json:"installation"`
	Repository *struct {
		ID      int64  `json:"id"`
		Name    string `json:"name"`
		Branch  string `json:"default_branch"`
		Private bool   `json:"private"`
		Owner   struct {
			Login string `json:"login"`
			Name  string `json:"name"` // what push payloads have instead
		} `json:"owner"`
	} `json:"repository"`
	Repositories []struct {
		ID int64 `json:"id"`
	} `json:"repositories"`
	Account *Person `json:"account"` // that was renamed
	Changes struct {
		Login struct {
			From string `json:"from"`
		} `json:"login"`
	} `json:"changes"`
	Sender *Person `json:"sender"`
	Issue  *struct {
		Number int     `json:"number"`
		URL    string  `json:"html_url"`
		Title  string  `json:"title"`
		Body   string  `json:"body"`
		User   *Person `json:"user"`
		State  string  `json:"state"`
		Locked bool    `json:"locked"`
		Labels []struct {
			Name string `json:"name"`
		} `json:"labels"`
		PullRequest json.RawMessage `json:"pull_request"`
		Created     time.Time       `json:"created_at"`
		Updated     time.Time       `json:"updated_at"`
	} `json:"issue"`
	Comment *struct {
		ID      int64     `json:"id"`
		URL     string    `json:"html_url"`
		Body    string    `json:"body"`
		User    *Person   `json:"user"`
		Created time.Time `json:"created_at"`
		Updated time.Time `json:"updated_at"`
	} `json:"comment"`
	Advisory *struct {
		GHSA string `json:"ghsa_id"`
	} `json:"repository_advisory"`
	Release *struct {
		Tag        string `json:"tag_name"`
		Draft      bool   `json:"draft"`
		Prerelease bool   `json:"prerelease"`
	} `json:"release"`
	Ref     json.RawMessage `json:"ref"` // a string in push, absent elsewhere
	Commits []struct {
		Added    []string `json:"added"`
		Modified []string `json:"modified"`
		Removed  []string `json:"removed"`
	} `json:"commits"`
}

// understood are the events whose payload must have a shape. Every other event is a bare Notice.
func understood() map[string]func(wire) string {
	return map[string]func(wire) string{
		"issues": func(w wire) string { return lacks(w.Issue != nil && w.Repository != nil, "issue or repository") },
		"issue_comment": func(w wire) string {
			return lacks(w.Issue != nil && w.Comment != nil && w.Repository != nil, "issue, comment or repository")
		},
		"repository_advisory": func(w wire) string {
			return lacks(w.Advisory != nil && w.Advisory.GHSA != "" && w.Repository != nil, "advisory or repository")
		},
		"release":     func(w wire) string { return lacks(w.Release != nil && w.Repository != nil, "release or repository") },
		"push":        func(w wire) string { return lacks(w.Repository != nil, "repository") },
		FoundAdvisory: func(w wire) string { return lacks(w.Advisory != nil && w.Repository != nil, "advisory") },
		FoundComment:  func(w wire) string { return lacks(w.Comment != nil && w.Advisory != nil, "comment") },
		FoundHistory:  func(w wire) string { return lacks(w.Issue != nil, "issue") },
		FoundPolicy:   func(w wire) string { return lacks(w.Repository != nil, "repository") },
		FoundIssue:    func(w wire) string { return lacks(w.Issue != nil && w.Repository != nil, "issue or repository") },
		FoundSaid: func(w wire) string {
			return lacks(w.Issue != nil && w.Comment != nil && w.Repository != nil, "issue, comment or repository")
		},
	}
}

func lacks(ok bool, what string) string {
	if ok {
		return ""
	}
	return what
}

// Decode reads a payload. The error says what is wrong with its shape and never quotes it.
func Decode(event string, body []byte) (Notice, error) {
	var w wire
	check, known := understood()[event]
	if !known {
		if !json.Valid(body) {
			return Notice{}, errors.New("the body is not JSON")
		}
		_ = json.Unmarshal(body, &w) // whatever of it can be read
		return w.notice(event), nil
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return Notice{}, shapeError(err)
	}
	if missing := check(w); missing != "" {
		return Notice{}, fmt.Errorf("a payload of %s without %s", event, missing)
	}
	return w.notice(event), nil
}

// shapeError says where a payload went wrong without the values that stand there.
func shapeError(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("field %s has another type than GitHub documents", wrong.Field)
	}
	return errors.New("the body is not JSON")
}

func (w wire) notice(event string) Notice {
	n := Notice{Event: event, Action: w.Action}
	if w.Installation != nil {
		n.Installation, n.Account = w.Installation.ID, value(w.Installation.Account).Login
	}
	for _, r := range w.Repositories {
		n.Repos = append(n.Repos, r.ID)
	}
	if event == "installation_target" {
		n.Account, n.Formerly = value(w.Account).Login, w.Changes.Login.From
	}
	if r := w.Repository; r != nil {
		owner := r.Owner.Login
		if owner == "" {
			owner = r.Owner.Name
		}
		n.Private = r.Private
		n.Repo, n.Branch = disclosure.Repo{ID: r.ID, Owner: owner, Name: r.Name}, r.Branch
	}
	n.Sender = value(w.Sender)
	if i := w.Issue; i != nil {
		n.Issue = &IssueNotice{
			Number: i.Number, URL: i.URL, Title: disclosure.Seal(i.Title), Body: disclosure.Seal(i.Body), Author: value(i.User), State: i.State,
			Locked: i.Locked, PullRequest: len(i.PullRequest) > 0 && string(i.PullRequest) != "null", Created: i.Created, Updated: i.Updated,
		}
		for _, l := range i.Labels {
			n.Issue.Labels = append(n.Issue.Labels, l.Name)
		}
	}
	if c := w.Comment; c != nil {
		n.Comment = &CommentNotice{ID: c.ID, URL: c.URL, Body: disclosure.Seal(c.Body), Author: value(c.User), Created: c.Created, Updated: c.Updated}
	}
	if w.Advisory != nil {
		n.GHSA = w.Advisory.GHSA
	}
	if r := w.Release; r != nil && !r.Draft && !r.Prerelease {
		n.Tag = r.Tag
	}
	n.Ref = strings.Trim(string(w.Ref), `"`)
	for _, c := range w.Commits {
		n.Paths = append(append(append(n.Paths, c.Added...), c.Modified...), c.Removed...)
	}
	return n
}

func value(p *Person) Person {
	if p == nil {
		return Person{}
	}
	return *p
}

// Found is something that the sweep found, to be thought about as if GitHub had sent it.
type Found struct {
	Event        string
	GUID         string // says what was found, so that it is thought about once
	Installation int64
	Repo         disclosure.Repo
	GHSA         string
	Issue        int
	Comment      *Comment

	// Of what people wrote on issues while nobody listened.
	Action  string
	Private bool
	Sender  Person
	About   *IssueNotice
	Said    *CommentNotice
}

// Payload writes what was found in the form that Decode reads.
func (f Found) Payload() []byte {
	body := map[string]any{
		"installation": map[string]any{"id": f.Installation},
		"repository":   map[string]any{"id": f.Repo.ID, "name": f.Repo.Name, "owner": map[string]any{"login": f.Repo.Owner}, "private": f.Private},
	}
	if f.Action != "" {
		body["action"], body["sender"] = f.Action, f.Sender
	}
	if f.GHSA != "" {
		body["repository_advisory"] = map[string]any{"ghsa_id": f.GHSA}
	}
	if f.Issue != 0 {
		body["issue"] = map[string]any{"number": f.Issue}
	}
	if c := f.Comment; c != nil {
		body["comment"] = map[string]any{"id": c.ID, "body": c.Body, "user": map[string]any{"login": c.By()}, "created_at": c.Created, "updated_at": c.Updated}
	}
	if i := f.About; i != nil {
		about := map[string]any{
			"number": i.Number, "html_url": i.URL, "title": i.Title.Reveal(), "body": i.Body.Reveal(), "user": i.Author, "state": i.State,
			"locked": i.Locked, "labels": named(i.Labels), "created_at": i.Created, "updated_at": i.Updated,
		}
		if i.PullRequest {
			about["pull_request"] = map[string]any{}
		}
		body["issue"] = about
	}
	if c := f.Said; c != nil {
		body["comment"] = map[string]any{"id": c.ID, "html_url": c.URL, "body": c.Body.Reveal(), "user": c.Author, "created_at": c.Created, "updated_at": c.Updated}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // plain values
	}
	return b
}

// named is the form that GitHub gives labels.
func named(labels []string) []map[string]string {
	out := make([]map[string]string, len(labels))
	for i, name := range labels {
		out[i] = map[string]string{"name": name}
	}
	return out
}
