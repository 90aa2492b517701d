package hub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Installation is where the App is installed.
type Installation struct {
	ID          int64
	Account     string
	Suspended   bool
	Permissions map[string]string
}

// Installations lists all installations of the App.
func (h *Hub) Installations(ctx context.Context) ([]Installation, error) {
	// go-github's type lacks the advisories permission, so the answer is decoded here.
	var out []Installation
	for page := 1; page != 0; {
		var is []struct {
			ID          int64             `json:"id"`
			Account     Person            `json:"account"`
			Suspended   *time.Time        `json:"suspended_at"`
			Permissions map[string]string `json:"permissions"`
		}
		res, err := h.request(ctx, appGate, reading, http.MethodGet, fmt.Sprintf("app/installations?per_page=100&page=%d", page), nil, &is)
		if err != nil {
			return nil, fmt.Errorf("list installations: %w", err)
		}
		for _, i := range is {
			out = append(out, Installation{ID: i.ID, Account: i.Account.Login, Suspended: i.Suspended != nil, Permissions: i.Permissions})
		}
		page = res.NextPage
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

// FailedDeliveries lists the GUIDs and ids of deliveries since a moment of which no attempt
// succeeded, oldest first. GitHub never repeats one by itself.
func (h *Hub) FailedDeliveries(ctx context.Context, since time.Time) (map[string]int64, error) {
	c, err := h.client(appGate)
	if err != nil {
		return nil, err
	}
	failed, succeeded := map[string]int64{}, map[string]bool{}
	for cursor := ""; ; {
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
		for _, d := range ds {
			if d.DeliveredAt != nil && d.DeliveredAt.Before(since) {
				res.Cursor = ""
				break
			}
			if code := d.GetStatusCode(); code >= 200 && code < 300 {
				succeeded[d.GetGUID()] = true
			} else if _, newer := failed[d.GetGUID()]; !newer {
				failed[d.GetGUID()] = d.GetID()
			}
		}
		if cursor = res.Cursor; cursor == "" {
			break
		}
	}
	for guid := range succeeded {
		delete(failed, guid)
	}
	return failed, nil
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
