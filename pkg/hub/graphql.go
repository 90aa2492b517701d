package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
)

// HistoryOpen reports whether strangers can still read an older text of an issue: a revision that
// nobody deleted and that is not the text that stands there now.
func (h *Hub) HistoryOpen(ctx context.Context, inst int64, r disclosure.Repo, n int) (bool, error) {
	var q struct {
		Body             string
		UserContentEdits struct {
			Nodes []struct {
				DeletedAt *time.Time
				Diff      *string
			}
		}
	}
	found, err := h.issueField(ctx, inst, r, n, "body userContentEdits(first: 100) { nodes { deletedAt diff } }", &q)
	if err != nil {
		return true, fmt.Errorf("edit history of %s#%d: %w", r, n, err)
	}
	if !found {
		return false, nil // the issue was deleted, which is the best purge there is
	}
	for _, e := range q.UserContentEdits.Nodes {
		if e.DeletedAt == nil && e.Diff != nil && *e.Diff != q.Body {
			return true, nil
		}
	}
	return false, nil
}

// issueField asks GraphQL for fields of one issue. GraphQL tells its errors with status 200.
func (h *Hub) issueField(ctx context.Context, inst int64, r disclosure.Repo, n int, fields string, out any) (found bool, err error) {
	query := map[string]any{
		"query":     "query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) { issue(number: $number) { " + fields + " } } }",
		"variables": map[string]any{"owner": r.Owner, "name": r.Name, "number": n},
	}
	var answer struct {
		Data struct {
			Repository *struct{ Issue json.RawMessage }
		}
		Errors []struct{ Type string }
	}
	c, err := h.client(inst)
	if err != nil {
		return false, err
	}
	err = h.call(ctx, inst, reading, func() error {
		req, err := c.NewRequest(http.MethodPost, h.config.V4URL, query)
		if err != nil {
			return err
		}
		res, err := c.Do(ctx, req, &answer)
		for _, e := range answer.Errors {
			if e.Type == "RATE_LIMITED" {
				return &github.RateLimitError{Response: res.Response}
			}
		}
		return err
	})
	repo := answer.Data.Repository
	switch {
	case err != nil:
		return false, err
	case repo != nil && string(repo.Issue) != "null" && len(answer.Errors) == 0:
		return true, json.Unmarshal(repo.Issue, out)
	case len(answer.Errors) > 0 && answer.Errors[0].Type == "NOT_FOUND" && repo != nil:
		return false, nil
	case len(answer.Errors) > 0 && answer.Errors[0].Type == "NOT_FOUND":
		return false, &Trouble{Kind: Gone, Status: http.StatusNotFound, Sent: true, Err: errors.New("no such repository")}
	default:
		return false, &Trouble{Kind: Again, Status: http.StatusOK, Sent: true, Err: errors.New("GraphQL does not answer")}
	}
}

// LastEdit tells when the body of an issue was edited last, and by whom. The time is zero if it
// never was. REST does not tell: there every label and comment is a change.
func (h *Hub) LastEdit(ctx context.Context, inst int64, r disclosure.Repo, n int) (at time.Time, by Person, err error) {
	var out struct {
		LastEditedAt     *time.Time
		UserContentEdits struct {
			Nodes []struct {
				Editor *struct {
					Kind  string `json:"__typename"`
					Login string
				}
			}
		}
	}
	_, err = h.issueField(ctx, inst, r, n, "lastEditedAt userContentEdits(first: 1) { nodes { editor { __typename login } } }", &out)
	if err != nil {
		return at, by, fmt.Errorf("last edit of %s#%d: %w", r, n, err)
	}
	if out.LastEditedAt != nil {
		at = *out.LastEditedAt
	}
	for _, e := range out.UserContentEdits.Nodes {
		if e.Editor == nil {
			continue
		}
		by = Person{Login: e.Editor.Login, Type: e.Editor.Kind}
		if by.Type == "Bot" { // GraphQL leaves out what REST calls it by
			by.Login += "[bot]"
		}
	}
	return at, by, nil
}
