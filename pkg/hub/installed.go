package hub

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Installation is where the App is installed.
type Installation struct {
	ID          int64
	Account     string
	Org         bool // the account is an organisation
	Suspended   bool
	Permissions map[string]string
}

// Installations lists all installations of the App.
func (h *Hub) Installations(ctx context.Context) ([]Installation, error) {
	// go-github's type lacks the advisories permission, so the answer is decoded here.
	var out []Installation
	for page, full := 1, true; full; page++ {
		var is []struct {
			ID          int64             `json:"id"`
			Account     Person            `json:"account"`
			Suspended   *time.Time        `json:"suspended_at"`
			Permissions map[string]string `json:"permissions"`
		}
		if _, err := h.get(ctx, appGate, fmt.Sprintf("app/installations?per_page=100&page=%d", page), &is); err != nil {
			return nil, fmt.Errorf("list installations: %w", err)
		}
		for _, i := range is {
			out = append(out, Installation{ID: i.ID, Account: i.Account.Login, Org: i.Account.Type == "Organization", Suspended: i.Suspended != nil, Permissions: i.Permissions})
		}
		full = len(is) == 100 // a page from memory does not know that another one follows now
	}
	return out, nil
}

// InstallationOf finds the installation that covers a repository.
func (h *Hub) InstallationOf(ctx context.Context, r disclosure.Repo) (int64, error) {
	c, err := h.client(appGate)
	if err != nil {
		return 0, err
	}
	var i *github.Installation
	err = h.call(ctx, appGate, reading, func() (err error) {
		i, _, err = c.Apps.FindRepositoryInstallation(ctx, r.Owner, r.Name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("installation of %s: %w", r, err)
	}
	return i.GetID(), nil
}

// Repos lists the repositories of an installation that can have advisories: public, not archived.
func (h *Hub) Repos(ctx context.Context, inst int64) ([]disclosure.Repo, error) {
	c, err := h.client(inst)
	if err != nil {
		return nil, err
	}
	ctx = unconditionally(ctx) // megabytes, read once an hour: they would drive out all else that is remembered
	var out []disclosure.Repo
	for page := 1; page != 0; {
		var (
			list *github.ListRepositories
			res  *github.Response
		)
		err := h.call(ctx, inst, reading, func() (err error) {
			list, res, err = c.Apps.ListRepos(ctx, &github.ListOptions{Page: page, PerPage: 100})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list repositories of installation %d: %w", inst, err)
		}
		for _, r := range list.Repositories {
			if !r.GetPrivate() && !r.GetArchived() {
				out = append(out, disclosure.Repo{ID: r.GetID(), Owner: r.GetOwner().GetLogin(), Name: r.GetName()})
			}
		}
		page = res.NextPage
	}
	return out, nil
}

// A FailedDelivery is one of which no attempt succeeded.
type FailedDelivery struct {
	GUID         string
	ID           int64 // of the newest attempt
	At           time.Time
	Installation int64
}

// FailedDeliveries lists what was tried since a moment and never succeeded, newest attempt first.
// GitHub never repeats one by itself.
func (h *Hub) FailedDeliveries(ctx context.Context, since time.Time) ([]FailedDelivery, error) {
	c, err := h.client(appGate)
	if err != nil {
		return nil, err
	}
	var failed []FailedDelivery
	seen, succeeded := map[string]bool{}, map[string]bool{}
	for cursor, more := "", true; more; {
		var (
			ds  []*github.HookDelivery
			res *github.Response
		)
		err := h.call(ctx, appGate, reading, func() (err error) {
			ds, res, err = c.Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{PerPage: 100, Cursor: cursor})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		cursor, more = res.Cursor, res.Cursor != ""
		for _, d := range ds {
			at := d.GetDeliveredAt().Time
			if !at.IsZero() && at.Before(since) {
				more = false
				break
			}
			// The code and not the words of the status: a connection that never was has code 0.
			if code := d.GetStatusCode(); code >= 200 && code < 300 {
				succeeded[d.GetGUID()] = true
			} else if !seen[d.GetGUID()] {
				failed = append(failed, FailedDelivery{d.GetGUID(), d.GetID(), at, d.GetInstallationID()})
			}
			seen[d.GetGUID()] = true
		}
	}
	return slices.DeleteFunc(failed, func(f FailedDelivery) bool { return succeeded[f.GUID] }), nil
}

// Redeliver asks GitHub to send a delivery again.
func (h *Hub) Redeliver(ctx context.Context, id int64) error {
	c, err := h.client(appGate)
	if err != nil {
		return err
	}
	err = h.call(ctx, appGate, writing, func() error {
		_, _, err := c.Apps.RedeliverHookDelivery(ctx, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for delivery %d again: %w", id, err)
	}
	return nil
}
