package hubsim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Install puts the App on an account, with all its repositories, and returns
// the installation's id. Installing twice returns the first id.
func (s *Sim) Install(owner string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.ensure(owner, false)
	if in := s.installedOn(o); in != nil {
		return in.id
	}
	in := &installation{id: s.id(), owner: o, created: s.now()}
	s.installs = append(s.installs, in)
	var repos []any
	for _, r := range s.reposOf(o) {
		repos = append(repos, shortRepo(r))
	}
	s.emit("installation", "created", o, o, nil, obj{
		"installation": s.installationObj(in), "repositories": orEmpty(repos), "requester": nil,
	})
	return in.id
}

// Suspend stops an installation: its tokens answer 403 and it gets no
// webhooks besides this last one.
func (s *Sim) Suspend(owner string) { s.change(owner, "suspend") }

// Unsuspend lets an installation go on; what happened meanwhile is not told.
func (s *Sim) Unsuspend(owner string) { s.change(owner, "unsuspend") }

// Uninstall removes the App from an account and revokes its tokens.
func (s *Sim) Uninstall(owner string) { s.change(owner, "deleted") }

func (s *Sim) change(owner, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.installedOn(s.ensure(owner, false))
	if in == nil {
		return
	}
	switch action {
	case "suspend":
		in.suspended = s.now()
	case "unsuspend":
		in.suspended = time.Time{}
	}
	s.emit("installation", action, in.owner, in.owner, nil, obj{"installation": s.installationObj(in)})
	if action == "deleted" {
		in.gone = true
	}
}

// Installation returns the id of the App's installation on an account, 0 if
// there is none.
func (s *Sim) Installation(owner string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.installedOn(s.accounts[fold(owner)]); in != nil {
		return in.id
	}
	return 0
}

// installedOn finds the living installation on an account.
func (s *Sim) installedOn(a *account) *installation {
	for _, in := range s.installs {
		if in.owner == a && !in.gone {
			return in
		}
	}
	return nil
}

func (s *Sim) installation(id int64) *installation {
	for _, in := range s.installs {
		if in.id == id && !in.gone {
			return in
		}
	}
	return nil
}

// installationObj shows what is granted now: the place to look for a missing
// permission, as an empty list is not.
func (s *Sim) installationObj(in *installation) obj {
	kind := "User"
	page := webURL + "/settings/installations/"
	if in.owner.org {
		kind, page = "Organization", webURL+"/organizations/"+in.owner.login+"/settings/installations/"
	}
	u := fmt.Sprintf("%s/app/installations/%d", apiURL, in.id)
	var by any
	if !in.suspended.IsZero() {
		by = userObj(in.owner)
	}
	return obj{
		"id": in.id, "account": userObj(in.owner), "app_id": s.app.ID, "app_slug": s.app.Slug,
		"client_id": "Iv1.sim", "target_id": in.owner.id, "target_type": kind, "repository_selection": "all",
		"permissions": withMetadata(s.granted), "events": s.app.Events, "single_file_name": nil,
		"has_multiple_single_files": false, "single_file_paths": []any{},
		"access_tokens_url": u + "/access_tokens", "repositories_url": apiURL + "/installation/repositories",
		"html_url": fmt.Sprintf("%s%d", page, in.id), "created_at": stamp(in.created), "updated_at": stamp(in.created),
		"suspended_at": stampOrNil(in.suspended), "suspended_by": by,
	}
}

func (s *Sim) appObj() obj {
	return obj{
		"id": s.app.ID, "slug": s.app.Slug, "node_id": nodeID("A", s.app.ID), "client_id": "Iv1.sim",
		"owner": nil, "name": s.app.Name, "description": "", "external_url": "https://heed.example",
		"html_url": webURL + "/apps/" + s.app.Slug, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
		"permissions": withMetadata(s.app.Permissions), "events": s.app.Events,
	}
}

// AddManifestCode makes a code of GitHub's manifest flow valid, once and for
// one hour.
func (s *Sim) AddManifestCode(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = s.now().Add(time.Hour)
}

func (s *Sim) appRoutes() []*route {
	app := func(method, path string, do func(*call)) *route {
		return &route{method: method, path: path, auth: asApp, do: do}
	}
	mint := app("POST", "/app/installations/{installation_id}/access_tokens", createToken)
	mint.query = true // changes nothing that anybody can see: no write to count or to fail
	return []*route{
		app("GET", "/app", func(c *call) {
			o := c.appObj()
			o["installations_count"] = len(c.installs)
			c.reply(200, o)
		}),
		app("GET", "/app/installations", listInstallations),
		app("GET", "/app/installations/{installation_id}", func(c *call) {
			c.showInstallation(c.installation(c.int("installation_id")))
		}),
		mint,
		app("GET", "/app/hook/deliveries", listDeliveries),
		app("GET", "/app/hook/deliveries/{delivery_id}", getDelivery),
		app("POST", "/app/hook/deliveries/{delivery_id}/attempts", attemptDelivery),
		app("GET", "/repos/{owner}/{repo}/installation", func(c *call) { c.showInstallation(c.installedOn(c.repo.owner)) }),
		app("GET", "/orgs/{org}/installation", func(c *call) { c.showInstallation(c.installedOn(c.accounts[fold(c.params["org"])])) }),
		app("GET", "/users/{username}/installation", func(c *call) {
			c.showInstallation(c.installedOn(c.accounts[fold(c.params["username"])]))
		}),
		{method: "POST", path: "/app-manifests/{code}/conversions", auth: asAnyone, do: convertManifest},
		{method: "GET", path: "/installation/repositories", do: installationRepos},
		{method: "DELETE", path: "/installation/token", query: true, do: func(c *call) {
			c.tok.expires = time.Time{}
			c.reply(204, nil)
		}},
		{method: "GET", path: "/rate_limit", auth: asAnyone, do: rateLimit},
		{method: "GET", path: "/meta", auth: asAnyone, do: func(c *call) {
			c.reply(200, obj{
				"verifiable_password_authentication": false,
				"hooks":                              []string{"192.30.252.0/22", "185.199.108.0/22", "140.82.112.0/20", "143.55.64.0/20"},
				"api":                                []string{"192.30.252.0/22"}, "web": []string{"192.30.252.0/22"}, "git": []string{"192.30.252.0/22"},
			})
		}},
	}
}

func (c *call) showInstallation(in *installation) {
	if in == nil {
		c.notFound()
		return
	}
	c.reply(200, c.installationObj(in))
}

func listInstallations(c *call) {
	var all []*installation
	for _, in := range c.installs {
		if !in.gone {
			all = append(all, in)
		}
	}
	from, to := c.page(len(all))
	out := []any{}
	for _, in := range all[from:to] {
		out = append(out, c.installationObj(in))
	}
	c.reply(200, out)
}

// installationRepos is how an App learns where it is.
//
// https://docs.github.com/rest/apps/installations#list-repositories-accessible-to-the-app-installation
func installationRepos(c *call) {
	var all []*repo
	for _, r := range c.reposOf(c.tok.inst.owner) {
		if c.inside(r) {
			all = append(all, r)
		}
	}
	from, to := c.page(len(all))
	out := []any{}
	for _, r := range all[from:to] {
		out = append(out, c.repoObj(r))
	}
	selection := "all"
	if c.tok.only != nil {
		selection = "selected"
	}
	c.reply(200, obj{"total_count": len(all), "repository_selection": selection, "repositories": out})
}

// rateLimit is free of the primary limit, but not of the secondary ones.
func rateLimit(c *call) {
	u, limit := c.usage(), c.limit()
	core := obj{"limit": limit, "used": u.used, "remaining": max(0, limit-u.used), "reset": u.hour.Add(time.Hour).Unix(), "resource": "core"}
	graph := obj{"limit": limit, "used": 0, "remaining": limit, "reset": u.hour.Add(time.Hour).Unix(), "resource": "graphql"}
	c.reply(200, obj{"resources": obj{"core": core, "graphql": graph}, "rate": core})
}

// convertManifest ends the manifest flow: the one time GitHub shows the key.
func convertManifest(c *call) {
	until, ok := c.codes[c.params["code"]]
	delete(c.codes, c.params["code"])
	if !ok || !c.now().Before(until) {
		c.notFound()
		return
	}
	o := c.appObj()
	o["client_secret"], o["webhook_secret"], o["pem"] = "sim-client-secret", c.app.WebhookSecret, string(c.PrivateKey())
	c.reply(http.StatusCreated, o)
}

func (s *Sim) reposOf(o *account) []*repo {
	var out []*repo
	for _, r := range s.repos {
		if r.owner == o {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *repo) int { return int(a.id - b.id) })
	return out
}

func orEmpty(v []any) []any {
	if v == nil {
		return []any{}
	}
	return v
}
