package hubsim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// resolver answers one field of an object; gqlType names it for fragments.
type resolver struct {
	gqlType string
	field   func(name string, args obj) (any, error)
}

func (s *Sim) graphqlRoutes() []*route {
	return []*route{{method: "POST", path: "/graphql", do: graphQL}}
}

// graphQL answers the queries that REST cannot: the edit history above all.
// Errors come with status 200, as GitHub's do.
func graphQL(c *call) {
	text, _ := c.str("query")
	vars, _ := c.body["variables"].(obj)
	if vars == nil {
		vars = obj{}
	}
	doc, err := parseGraphQL(text, vars)
	if err != nil {
		c.reply(200, obj{"errors": []any{obj{"message": err.Error()}}})
		return
	}
	root := resolver{"Query", c.queryField}
	if doc.mutation {
		root = resolver{"Mutation", c.mutationField}
	}
	var errs []any
	data := project(root, doc.fields, doc.fragments, nil, &errs)
	answer := obj{"data": data}
	if len(errs) > 0 {
		answer["errors"] = errs
	}
	c.reply(200, answer)
}

// gqlError is an error with GitHub's type, like NOT_FOUND or FORBIDDEN.
type gqlError struct{ kind, message string }

func (e gqlError) Error() string { return e.message }

// project picks the asked fields out of a resolver. A failing field is null
// and leaves an error with its path.
func project(r resolver, fields []field, frags map[string]field, path []any, errs *[]any) obj {
	out := obj{}
	for _, f := range fields {
		if f.spread != "" {
			f = frags[f.spread]
		}
		if f.on != "" {
			if f.on == "*" || f.on == r.gqlType {
				maps.Copy(out, project(r, f.sub, frags, path, errs))
			}
			continue
		}
		at := append(slices.Clone(path), f.alias)
		if f.name == "__typename" {
			out[f.alias] = r.gqlType
			continue
		}
		v, err := r.field(f.name, f.args)
		if err != nil {
			e := obj{"message": err.Error(), "path": at}
			if g, ok := err.(gqlError); ok { //nolint:errorlint // made right here, never wrapped
				e["type"] = g.kind
			}
			*errs = append(*errs, e)
			v = nil
		}
		out[f.alias] = descend(v, f, frags, at, errs)
	}
	return out
}

// descend goes on below a field's value.
func descend(v any, f field, frags map[string]field, path []any, errs *[]any) any {
	switch v := v.(type) {
	case resolver:
		return project(v, f.sub, frags, path, errs)
	case []resolver:
		list := []any{}
		for i, x := range v {
			list = append(list, project(x, f.sub, frags, append(slices.Clone(path), i), errs))
		}
		return list
	}
	return v
}

func unknownField(kind, name string) error {
	return gqlError{"undefinedField", fmt.Sprintf("Field '%s' doesn't exist on type '%s'", name, kind)}
}

// static is a resolver over fixed values.
func static(kind string, values obj) resolver {
	return resolver{kind, func(name string, _ obj) (any, error) {
		v, ok := values[name]
		if !ok {
			return nil, unknownField(kind, name)
		}
		return v, nil
	}}
}

func (c *call) queryField(name string, args obj) (any, error) {
	switch name {
	case "viewer":
		return actor(c.bot), nil
	case "rateLimit":
		u, limit := c.usage(), c.limit()
		return static("RateLimit", obj{
			"limit": limit, "cost": 1, "remaining": max(0, limit-u.used), "used": u.used, "nodeCount": 1,
			"resetAt": stamp(u.hour.Add(time.Hour)),
		}), nil
	case "node":
		id, _ := args["id"].(string)
		i, x := c.nodeByID(id)
		switch {
		case x != nil:
			return c.gqlComment(i, x)
		case i != nil:
			return c.gqlIssue(i)
		}
		return nil, gqlError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)}
	case "repository":
		owner, _ := args["owner"].(string)
		repo, _ := args["name"].(string)
		r := c.repos[c.names[fold(owner+"/"+repo)]]
		if r == nil || r.private && !c.inside(r) {
			return nil, gqlError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", owner, repo)}
		}
		return c.gqlRepo(r), nil
	}
	return nil, unknownField("Query", name)
}

// nodeByID finds what an installation may see.
func (c *call) nodeByID(id string) (*issue, *comment) {
	for _, r := range c.repos {
		if r.private && !c.inside(r) {
			continue
		}
		for _, i := range r.issues {
			if i.gone() {
				continue
			}
			if nodeID("I", i.id) == id {
				return i, nil
			}
			for _, x := range i.comments {
				if nodeID("IC", x.id) == id {
					return i, x
				}
			}
		}
	}
	return nil, nil
}

func (c *call) gqlRepo(r *repo) resolver {
	return resolver{"Repository", func(name string, args obj) (any, error) {
		switch name {
		case "id":
			return nodeID("R", r.id), nil
		case "databaseId":
			return r.id, nil
		case "name":
			return r.name, nil
		case "nameWithOwner":
			return r.full(), nil
		case "url":
			return r.page(), nil
		case "isPrivate":
			return r.private, nil
		case "isArchived":
			return r.archived, nil
		case "owner":
			return actor(r.owner), nil
		case "issue", "issueOrPullRequest":
			n, _ := args["number"].(float64)
			i := r.issues[int(n)]
			if i == nil || i.gone() {
				return nil, gqlError{"NOT_FOUND", fmt.Sprintf("Could not resolve to an Issue with the number of %d.", int(n))}
			}
			return c.gqlIssue(i)
		}
		return nil, unknownField("Repository", name)
	}}
}

// mayIssues is the permission check of REST, said in GraphQL.
func (c *call) mayIssues(r *repo, level string) error {
	if !c.inside(r) {
		if !r.private && level == "read" {
			return nil
		}
	} else if c.holds("issues:" + level) {
		return nil
	}
	c.status, c.out = 0, nil // holds answered for REST
	return gqlError{"FORBIDDEN", "Resource not accessible by integration"}
}

func (c *call) gqlIssue(i *issue) (any, error) {
	if err := c.mayIssues(i.repo, "read"); err != nil {
		return nil, err
	}
	reason := any(nil)
	if i.reason != "" {
		reason = strings.ToUpper(i.reason)
	}
	return resolver{"Issue", func(name string, args obj) (any, error) {
		switch name {
		case "userContentEdits":
			return c.gqlEdits(i.edits, args)
		case "comments":
			var all []resolver
			for _, x := range i.comments {
				v, err := c.gqlComment(i, x)
				if err != nil {
					return nil, err
				}
				r, _ := v.(resolver)
				all = append(all, r)
			}
			return connection("IssueComment", all, args)
		case "repository":
			return c.gqlRepo(i.repo), nil
		}
		return static("Issue", obj{
			"id": nodeID("I", i.id), "databaseId": i.id, "fullDatabaseId": strconv.FormatInt(i.id, 10), "number": i.number,
			"title": i.title, "body": i.body, "bodyText": i.body, "state": strings.ToUpper(i.state), "stateReason": reason,
			"url": i.page(), "locked": i.locked, "author": actorOrNil(i.author), "createdAt": stamp(i.created),
			"updatedAt": stamp(i.updated), "closedAt": stampOrNil(i.closed), "closed": i.state == "closed",
			"lastEditedAt": lastEdit(i.edits), "includesCreatedEdit": len(i.edits) > 0, "viewerCanDelete": false,
		}).field(name, args)
	}}, nil
}

func (c *call) gqlComment(i *issue, x *comment) (any, error) {
	if err := c.mayIssues(i.repo, "read"); err != nil {
		return nil, err
	}
	return resolver{"IssueComment", func(name string, args obj) (any, error) {
		switch name {
		case "userContentEdits":
			return c.gqlEdits(x.edits, args)
		case "issue":
			return c.gqlIssue(i)
		}
		return static("IssueComment", obj{
			"id": nodeID("IC", x.id), "databaseId": x.id, "fullDatabaseId": strconv.FormatInt(x.id, 10), "body": x.body,
			"url": fmt.Sprintf("%s#issuecomment-%d", i.page(), x.id), "author": actorOrNil(x.author),
			"createdAt": stamp(x.created), "updatedAt": stamp(x.updated), "lastEditedAt": lastEdit(x.edits),
			"isMinimized": x.minimized != "", "minimizedReason": orNil(strings.ToLower(x.minimized)),
		}).field(name, args)
	}}, nil
}

// lastEdit is null for a text that nobody edited.
func lastEdit(edits []*edit) any {
	if len(edits) == 0 {
		return nil
	}
	return stamp(edits[len(edits)-1].edited)
}

func actor(a *account) resolver {
	kind := "User"
	switch {
	case a.org:
		kind = "Organization"
	case a.bot:
		kind = "Bot"
	}
	// GraphQL knows bots without the suffix that REST gives them.
	return static(kind, obj{
		"login": strings.TrimSuffix(a.login, "[bot]"), "id": nodeID(kind[:1], a.id), "databaseId": a.id,
		"url": webURL + "/" + a.login,
	})
}

func actorOrNil(a *account) any {
	if a == nil {
		return nil
	}
	return actor(a)
}

// gqlEdits is the history as GitHub lists it: newest revision first, the
// original text last. diff is the whole text of a revision, null once purged.
func (c *call) gqlEdits(edits []*edit, args obj) (any, error) {
	var all []resolver
	for _, e := range slices.Backward(edits) {
		var diff any = e.text
		if !e.deleted.IsZero() {
			diff = nil
		}
		all = append(all, static("UserContentEdit", obj{
			"id": nodeID("UCE", e.id), "createdAt": stamp(e.created), "updatedAt": stamp(e.created), "editedAt": stamp(e.edited),
			"deletedAt": stampOrNil(e.deleted), "diff": diff, "editor": actorOrNil(e.by), "deletedBy": actorOrNil(e.purger),
		}))
	}
	return connection("UserContentEdit", all, args)
}

// connection pages a list. GitHub refuses one without first or last.
func connection(kind string, all []resolver, args obj) (any, error) {
	first, hasFirst := args["first"].(float64)
	last, hasLast := args["last"].(float64)
	n := max(first, last)
	switch {
	case !hasFirst && !hasLast:
		return nil, gqlError{"MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly paginate the `" + kind + "` connection."}
	case n < 1 || n > 100:
		return nil, gqlError{"EXCESSIVE_PAGINATION", "Requesting more than 100 records on the connection exceeds the `first` limit of 100 records."}
	}
	from, to := 0, len(all)
	if a, ok := args["after"].(string); ok {
		from, _ = strconv.Atoi(strings.TrimPrefix(a, "cursor:"))
		from = min(from, len(all))
	}
	if hasFirst {
		to = min(to, from+int(first))
	} else {
		from = max(from, to-int(last))
	}
	nodes := all[from:to]
	var edges []resolver
	for i, x := range nodes {
		edges = append(edges, static(kind+"Edge", obj{"node": x, "cursor": fmt.Sprintf("cursor:%d", from+i+1)}))
	}
	return static(kind+"Connection", obj{
		"nodes": nodes, "edges": edges, "totalCount": len(all),
		"pageInfo": static("PageInfo", obj{
			"hasNextPage": to < len(all), "hasPreviousPage": from > 0,
			"startCursor": fmt.Sprintf("cursor:%d", from+1), "endCursor": fmt.Sprintf("cursor:%d", to),
		}),
	}), nil
}

// mutationField: hiding a comment works, removing an issue does not. An
// installation token gets no further there (facts 3).
func (c *call) mutationField(name string, args obj) (any, error) {
	in, _ := args["input"].(obj)
	switch name {
	case "minimizeComment", "unminimizeComment":
		id, _ := in["subjectId"].(string)
		why, _ := in["classifier"].(string)
		i, x := c.nodeByID(id)
		if x == nil {
			return nil, gqlError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)}
		}
		if err := c.mayIssues(i.repo, "write"); err != nil {
			return nil, err
		}
		if name == "unminimizeComment" {
			why = ""
		} else if !slices.Contains([]string{"SPAM", "ABUSE", "OFF_TOPIC", "OUTDATED", "DUPLICATE", "RESOLVED"}, why) {
			return nil, gqlError{"argumentLiteralsIncompatible", "Argument 'classifier' has an invalid value"}
		}
		x.minimized = why
		v, err := c.gqlComment(i, x)
		return static("MinimizeCommentPayload", obj{"minimizedComment": v, "unminimizedComment": v, "clientMutationId": in["clientMutationId"]}), err
	case "deleteIssue", "transferIssue":
		return nil, gqlError{"FORBIDDEN", "Resource not accessible by integration"}
	}
	return nil, unknownField("Mutation", name)
}
