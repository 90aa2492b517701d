package hubsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEditHistory(t *testing.T) {
	w := newWorld(t)
	n := must(w.OpenIssue("rea", "acme/web", "SQL injection in login", "the boom payload"))
	w.Pending()
	w.clock.advance(10 * time.Minute)
	path := fmt.Sprintf("/repos/acme/web/issues/%d", n)
	w.do(200, "PATCH", path, obj{"title": "Notice", "body": "This is dealt with in private.", "state": "closed", "state_reason": "completed"})

	hook := string(w.Pending()[0].Body)
	if !strings.Contains(hook, `"changes":{"body":{"from":"the boom payload"},"title":{"from":"SQL injection in login"}}`) {
		t.Errorf("the webhook does not carry the old text: %s", hook)
	}
	if got := fmt.Sprint(w.Readable("", "boom")); got != "[acme/web#1 body edit history 1]" {
		t.Error(got)
	}
	if got := fmt.Sprint(w.Readable("public", "injection")); got != "[acme/web#1 title history]" {
		t.Error(got)
	}
	if page := must(w.SeeIssue("public", "acme/web", n)); page != "Notice (closed)\n\nThis is dealt with in private.\n" {
		t.Error(page)
	}
	history := func() []any {
		q := obj{
			"query":     `query($o: String!, $n: Int!) { repository(owner: $o, name: "web") { issue(number: $n) { id again: userContentEdits(first: 10) { totalCount nodes { ...e } pageInfo { hasNextPage endCursor } } } } } fragment e on UserContentEdit { deletedAt diff editor { login } }`,
			"variables": obj{"o": "acme", "n": n},
		}
		out := w.do(200, "POST", "/graphql", q)
		issue := out["data"].(obj)["repository"].(obj)["issue"].(obj)
		byID := w.do(200, "POST", "/graphql", obj{
			"query": `query($id: ID!) { node(id: $id) { __typename ... on Issue { title userContentEdits(first: 1) { nodes { diff } } } } }`, "variables": obj{"id": issue["id"]},
		})
		if byID["data"].(obj)["node"].(obj)["title"] != "Notice" {
			t.Error(byID)
		}
		return issue["again"].(obj)["nodes"].([]any)
	}
	if h := history(); len(h) != 2 || h[0].(obj)["diff"] != "This is dealt with in private." || h[1].(obj)["diff"] != "the boom payload" {
		t.Error(h)
	}
	if err := w.DeleteRevisions("zoe", "acme/web", n); err == nil {
		t.Error("a stranger purged")
	}
	if err := w.DeleteRevisions("mia", "acme/web", n); err != nil {
		t.Error(err)
	}
	h := history()
	if old := h[1].(obj); old["diff"] != nil || old["deletedAt"] == nil || h[0].(obj)["deletedAt"] != nil {
		t.Error(h)
	}
	if got := w.Readable("", "boom"); len(got) != 0 {
		t.Error(got)
	}
	kinds := ""
	for _, e := range w.list(path + "/timeline") {
		kinds += e["event"].(string) + " "
	}
	if kinds != "renamed closed " {
		t.Error(kinds)
	}
	w.lawful()
}

func TestGraphQLErrors(t *testing.T) {
	w := newWorld(t)
	for _, q := range []string{
		`{ repository(owner: "acme", name: "nope") { id } }`,
		`{ colour }`,
		`{ repository(owner: "acme"`,
		`mutation { deleteIssue(input: {issueId: "x"}) { clientMutationId } }`,
	} {
		if out := w.do(200, "POST", "/graphql", obj{"query": q}); out["errors"] == nil {
			t.Errorf("%s: %v", q, out)
		}
	}
}

func TestIssues(t *testing.T) {
	w := newWorld(t)
	out := w.do(201, "POST", "/repos/acme/cases/issues", obj{
		"title": "Case", "body": "text <!-- heed:case/1 -->", "labels": []string{"new one"}, "assignees": []string{"mia", "rea"},
	})
	if page := must(w.SeeIssue("mia", "acme/cases", 1)); page != "Case (open) [new one] mia\n\ntext\n" {
		t.Error(page)
	}
	if _, err := w.SeeIssue("rea", "acme/cases", 1); err == nil || err.Error() != "404" {
		t.Error(err)
	}
	user := out["user"].(obj)
	if user["type"] != "Bot" || user["login"] != "heed[bot]" || out["performed_via_github_app"].(obj)["slug"] != "heed" {
		t.Error(out)
	}
	actions := ""
	for _, d := range w.Pending() {
		actions += d.Event + "." + d.Action + " "
	}
	if actions != "issues.opened issues.labeled issues.assigned " {
		t.Error(actions)
	}
	id := must(w.CommentIssue("mia", "acme/cases", 1, "/ack"))
	react := fmt.Sprintf("/repos/acme/cases/issues/comments/%d/reactions", id)
	w.do(201, "POST", react, obj{"content": "eyes"})
	w.do(200, "POST", react, obj{"content": "eyes"})
	w.do(201, "POST", react, obj{"content": "rocket"})
	w.do(422, "POST", react, obj{"content": "tada"})
	if page := must(w.SeeIssue("mia", "acme/cases", 1)); !strings.HasSuffix(page, "\nmia: /ack [eyes, rocket]\n") {
		t.Error(page)
	}
	w.do(204, "PUT", "/repos/acme/cases/issues/1/lock", obj{"lock_reason": "resolved"})
	w.do(201, "POST", "/repos/acme/cases/issues/1/comments", obj{"body": "still heard"})
	w.do(204, "DELETE", fmt.Sprintf("/repos/acme/cases/issues/comments/%d", id), nil)
	v, ok := w.Issue("acme/cases", 1)
	if !ok || !v.Locked || len(v.Comments) != 1 || v.Comments[0].Author != "heed[bot]" {
		t.Errorf("%+v", v)
	}
	if err := w.DeleteIssue("olga", "acme/cases", 1); err != nil {
		t.Fatal(err)
	}
	w.do(410, "GET", "/repos/acme/cases/issues/1", nil)
	w.lawful()
}

func TestPeopleAreRefused(t *testing.T) {
	w := newWorld(t)
	n := must(w.OpenIssue("rea", "acme/web", "t", "b"))
	id := must(w.CommentIssue("rea", "acme/web", n, "mine"))
	w.do(204, "PUT", "/repos/acme/web/issues/1/lock", nil)
	if _, err := w.CommentIssue("rea", "acme/web", n, "more"); err == nil {
		t.Error("spoke on a locked issue")
	}
	if err := w.EditComment("zoe", "acme/web", id, "x"); err == nil {
		t.Error("edited another's comment")
	}
	if err := w.CloseIssue("zoe", "acme/web", n); err == nil {
		t.Error("closed another's issue")
	}
	w.do(200, "PATCH", "/repos/acme/web/issues/1", obj{"state": "closed"})
	if err := w.ReopenIssue("rea", "acme/web", n); err == nil {
		t.Error("reopened what a maintainer closed")
	}
	if _, err := w.OpenIssue("rea", "acme/cases", "t", "b"); err == nil {
		t.Error("wrote into a private repository")
	}
	w.Archive("acme/web")
	w.do(403, "PATCH", "/repos/acme/web/issues/1", obj{"state": "open"})
}

func TestPaging(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		must(w.OpenIssue("rea", "acme/web", fmt.Sprint("t", i), "b"))
		w.clock.advance(time.Second)
	}
	res, _, err := w.raw(w.token, "GET", "/repos/acme/web/issues?per_page=2&page=2&sort=created&direction=asc", nil) //nolint:bodyclose // raw closes it
	if err != nil {
		t.Fatal(err)
	}
	for _, rel := range []string{`page=1`, `page=3`, `rel="next"`, `rel="prev"`, `rel="last"`, `rel="first"`} {
		if !strings.Contains(res.Header.Get("Link"), rel) {
			t.Errorf("no %s in %s", rel, res.Header.Get("Link"))
		}
	}
	since := w.clock.now().Add(-2 * time.Second).Format(time.RFC3339)
	if got := w.list("/repos/acme/web/issues?since=" + since); len(got) != 2 {
		t.Errorf("%d issues since %s", len(got), since)
	}
}

//nolint:funlen // one table
func TestLaws(t *testing.T) {
	issue := obj{"title": "t", "body": "hello"}
	for name, tc := range map[string]struct {
		want string
		do   func(w *world)
	}{
		"canary in public": {"embargo", func(w *world) {
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "body": "about xyzzy"})
		}},
		"canary in a label": {"embargo", func(w *world) {
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "labels": []string{"xyzzy"}})
		}},
		"canary in private": {"", func(w *world) {
			w.do(201, "POST", "/repos/acme/cases/issues", obj{"title": "t", "body": "about xyzzy"})
		}},
		"canary after publication": {"", func(w *world) {
			g := must(w.OpenDraft("olga", "acme/web", "xyzzy", "d"))
			if err := w.PublishAdvisory("olga", "acme/web", g); err != nil {
				w.t.Fatal(err)
			}
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "body": "about xyzzy"})
		}},
		"mark in two objects": {"mark", func(w *world) {
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "body": "<!-- m1 -->"})
			w.do(201, "POST", "/repos/acme/web/issues/1/comments", obj{"body": "<!-- m1 -->"})
		}},
		"mark twice": {"twice", func(w *world) {
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "body": "<!-- m1 --> <!-- m1 -->"})
		}},
		"mark stays": {"", func(w *world) {
			w.do(201, "POST", "/repos/acme/web/issues", obj{"title": "t", "body": "<!-- m1 -->"})
			w.do(200, "PATCH", "/repos/acme/web/issues/1", obj{"body": "new <!-- m1 -->"})
		}},
		"template comments of people": {"", func(w *world) {
			must(w.OpenIssue("rea", "acme/web", "t", "<!-- describe it -->"))
			w.do(201, "POST", "/repos/acme/cases/issues", obj{"title": "t", "body": "<!-- describe it -->"})
			w.do(201, "POST", "/repos/acme/cases/issues", obj{"title": "t", "body": "<!-- describe it -->"})
		}},
		"unlisted permission": {"administration", func(w *world) {
			w.do(403, "PUT", "/repos/acme/web/private-vulnerability-reporting", nil)
		}},
		"human comment edited": {"human text", func(w *world) {
			must(w.OpenIssue("rea", "acme/web", "t", "b"))
			id := must(w.CommentIssue("rea", "acme/web", 1, "leak"))
			w.do(200, "PATCH", fmt.Sprintf("/repos/acme/web/issues/comments/%d", id), obj{"body": "gone"})
		}},
		"publish alone": {"publish", func(w *world) {
			g := must(w.OpenDraft("olga", "acme/web", "s", "d"))
			w.do(200, "PATCH", "/repos/acme/web/security-advisories/"+g, obj{"state": "published"})
		}},
		"publish as told": {"", func(w *world) {
			g := must(w.OpenDraft("olga", "acme/web", "s", "d"))
			w.AllowPublish(g)
			w.do(200, "PATCH", "/repos/acme/web/security-advisories/"+g, obj{"state": "published"})
		}},
		"81 in a minute": {"limits", func(w *world) {
			for range 80 {
				w.do(201, "POST", "/repos/acme/web/issues", issue)
			}
			res, _, err := w.raw(w.token, "POST", "/repos/acme/web/issues", issue) //nolint:bodyclose // raw closes it
			if err != nil || res.StatusCode != 403 || res.Header.Get("Retry-After") != "60" {
				w.t.Errorf("%v %v", res, err)
			}
			w.clock.advance(time.Minute)
			w.do(201, "POST", "/repos/acme/web/issues", issue)
		}},
		"901 points": {"points", func(w *world) {
			for range 900 {
				w.do(200, "GET", "/repos/acme/web", nil)
			}
			w.do(403, "GET", "/repos/acme/web", nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Canary("xyzzy")
			tc.do(w)
			if tc.want == "" {
				w.lawful()
			} else {
				w.broken(tc.want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	var seen []int
	fault := Lost
	w.SetFault(func(r *http.Request, write bool, n int) Fault {
		if !write {
			return None
		}
		seen = append(seen, n)
		w.Writes() // a fault may look at the Sim
		return fault
	})
	issue := obj{"title": "t", "body": "b"}
	w.do(502, "POST", "/repos/acme/web/issues", issue)
	fault = Refused
	w.do(403, "POST", "/repos/acme/web/issues", issue)
	fault = 503
	w.do(503, "POST", "/repos/acme/web/issues", issue)
	if got := w.Issues("", "acme/web"); len(got) != 0 {
		t.Error("a lost write landed:", got)
	}
	fault = LandedUnanswered
	if _, _, err := w.raw(w.token, "POST", "/repos/acme/web/issues", issue); err == nil {
		t.Error("an answer came")
	}
	if got := w.Issues("", "acme/web"); len(got) != 1 {
		t.Error("an unanswered write did not land:", got)
	}
	if !slices.Equal(seen, []int{1, 2, 3, 4}) {
		t.Error(seen)
	}
	w.SetFault(nil)
	w.Outage(w.clock.now().Add(time.Minute))
	w.do(502, "GET", "/repos/acme/web", nil)
	w.clock.advance(time.Minute)
	w.do(200, "GET", "/repos/acme/web", nil)
}

func TestBans(t *testing.T) {
	w := newWorld(t)
	until := w.clock.now().Add(90 * time.Second)
	for kind, want := range map[string]string{
		"primary": "403 ", "secondary": "403 90", "429": "429 90", "bare": "403 ",
	} {
		w.RateLimit(w.inst, kind, until)
		res, _, err := w.raw(w.token, "GET", "/repos/acme/web", nil)
		if err != nil {
			t.Fatal(err)
		}
		left := res.Header.Get("X-RateLimit-Remaining")
		if got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("Retry-After")); got != want || (left == "0") != (kind == "primary") {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
		if kind == "primary" && (res.Header.Get("X-RateLimit-Reset") != fmt.Sprint(until.Unix())) {
			t.Error(res.Header)
		}
	}
	if n := w.BanCalls(); n != 4 {
		t.Errorf("%d calls", n)
	}
	w.clock.advance(90 * time.Second)
	w.do(200, "GET", "/repos/acme/web", nil)
	w.lawful()
}
