package hubsim

import (
	"net/url"
	"strings"
)

// Who may call a route.
type auth int

const (
	asInstallation auth = iota // installation token; public things also without
	asApp                      // the App's JWT
	asAnyone                   // needs nothing
)

// route is one endpoint. path is spelled with the parameter names of GitHub's
// OpenAPI description, so that a journal can be checked against it.
type route struct {
	method, path string
	auth         auth
	// need is "permission:level"; "" asks for nothing.
	need string
	// open: outsiders may read it on public repositories.
	open bool
	// content: counts towards 80 content-creating requests a minute.
	content bool
	// soft: without the permission it runs anyway and shows only public things
	// (the trap of the advisory lists).
	soft bool
	// query: a POST that changes nothing.
	query bool
	do    func(*call)

	segs []string
}

func (rt *route) name() string { return rt.method + " " + rt.path }

func (rt *route) write() bool { return rt.method != "GET" && rt.method != "HEAD" && !rt.query }

// match compares segment by segment. http.ServeMux is no help: GitHub has both
// issues/comments/{id} and issues/{n}/comments, which it calls a conflict.
func (rt *route) match(segs []string) (map[string]string, bool) {
	params := map[string]string{}
	for i, want := range rt.segs {
		if want == "{path}" { // the rest, slashes included
			params["path"] = strings.Join(segs[min(i, len(segs)):], "/")
			return params, true
		}
		if i >= len(segs) {
			return nil, false
		}
		if strings.HasPrefix(want, "{") {
			params[want[1:len(want)-1]] = segs[i]
		} else if want != segs[i] {
			return nil, false
		}
	}
	return params, len(segs) == len(rt.segs)
}

// find picks the first route in table order; methods says which methods the
// path would have taken when none fits.
func (s *Sim) find(method string, segs []string) (*route, map[string]string) {
	if method == "HEAD" {
		method = "GET"
	}
	for _, rt := range s.routes {
		if rt.method != method {
			continue
		}
		if p, ok := rt.match(segs); ok {
			return rt, p
		}
	}
	return nil, nil
}

// split undoes percent-encoding per segment, so that an encoded slash stays
// inside its parameter.
func split(escaped string) []string {
	segs := strings.Split(strings.Trim(escaped, "/"), "/")
	for i, x := range segs {
		if u, err := url.PathUnescape(x); err == nil {
			segs[i] = u
		}
	}
	return segs
}

// allRoutes is the table, made per Sim to keep the package without globals.
// Order matters where a literal and a parameter compete.
func (s *Sim) allRoutes() []*route {
	var all []*route
	for _, part := range [][]*route{s.appRoutes(), s.repoRoutes(), s.issueRoutes(), s.advisoryRoutes(), s.graphqlRoutes()} {
		all = append(all, part...)
	}
	for _, rt := range all {
		rt.segs = strings.Split(strings.Trim(rt.path, "/"), "/")
	}
	return all
}
