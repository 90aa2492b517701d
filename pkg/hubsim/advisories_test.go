package hubsim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const advisories = "/repos/acme/web/security-advisories"

func vulns() []any {
	return []any{obj{"package": obj{"ecosystem": "pip", "name": "web"}, "vulnerable_version_range": "< 2"}}
}

func TestReported(t *testing.T) {
	w := newWorld(t)
	ghsa := must(w.Report("rea", "acme/web", "Hole", "the boom payload"))
	if !strings.HasPrefix(ghsa, "GHSA-") || len(ghsa) != 19 {
		t.Error(ghsa)
	}
	d := w.Pending()[0]
	var p obj
	if err := json.Unmarshal(d.Body, &p); err != nil {
		t.Fatal(err)
	}
	a := p["repository_advisory"].(obj)
	for _, k := range []string{"author", "created_at", "submission", "collaborating_users", "collaborating_teams", "private_fork", "publisher"} {
		if v, ok := a[k]; v != nil || !ok {
			t.Errorf("%s is %v", k, v)
		}
	}
	pkg := a["vulnerabilities"].([]any)[0].(obj)["package"].(obj)
	if len(a["credits"].([]any)) != 0 || pkg["ecosystem"] != "" || pkg["name"] != "" || a["description"] != "the boom payload" {
		t.Error(a)
	}
	if p["sender"].(obj)["login"] != "rea" || p["action"] != "reported" || p["installation"].(obj)["id"] != float64(w.inst) {
		t.Error(p)
	}
	got := w.do(200, "GET", advisories+"/"+ghsa, nil)
	if got["author"].(obj)["login"] != "rea" || got["submission"].(obj)["accepted"] != false || got["state"] != "triage" {
		t.Error(got)
	}
	if c := got["credits_detailed"].([]any)[0].(obj); c["state"] != "pending" || c["type"] != "reporter" {
		t.Error(c)
	}
	if _, err := w.SeeAdvisory("zoe", "acme/web", ghsa); err == nil {
		t.Error("a stranger sees the report")
	}
	if page := must(w.SeeAdvisory("rea", "acme/web", ghsa)); !strings.HasPrefix(page, "Hole (triage)\n") {
		t.Error(page)
	}
	if got := w.Readable("", "boom"); len(got) != 0 {
		t.Error(got)
	}
	w.SetPVR("acme/web", false)
	if _, err := w.Report("rea", "acme/web", "x", "y"); err == nil {
		t.Error("reported though it is off")
	}
}

func TestArraysReplace(t *testing.T) {
	w := newWorld(t)
	path := advisories + "/" + must(w.Report("rea", "acme/web", "Hole", "text"))
	got := w.do(200, "PATCH", path, obj{"collaborating_teams": []string{"security"}, "collaborating_users": []string{"sam"}})
	if u := got["collaborating_users"].([]any); len(u) != 1 || u[0].(obj)["login"] != "sam" {
		t.Error("users were added, not replaced:", u)
	}
	if len(got["credits"].([]any)) != 1 {
		t.Error("an absent array was touched")
	}
	got = w.do(200, "PATCH", path, obj{"credits": []any{obj{"login": "zoe", "type": "finder"}}, "state": "draft"})
	if c := got["credits"].([]any); len(c) != 1 || c[0].(obj)["login"] != "zoe" || got["submission"].(obj)["accepted"] != true {
		t.Error(got)
	}
	for _, bad := range []obj{
		{"collaborating_users": []string{"nobody"}},
		{"collaborating_teams": []string{"nobody"}},
		{"vulnerabilities": []any{}},
		{"vulnerabilities": []any{obj{"package": obj{"ecosystem": "cobol"}}}},
		{"state": "triage"},
		{"severity": "high", "cvss_vector_string": "CVSS:3.1/AV:N"},
		{"summary": "changed", "cve_id": "nonsense"},
	} {
		w.do(422, "PATCH", path, bad)
	}
	if got := w.do(200, "GET", path, nil); got["summary"] != "Hole" {
		t.Error("a refused request left something behind")
	}
	for _, bad := range []obj{
		{"description": "d", "vulnerabilities": vulns()},
		{"summary": "s", "vulnerabilities": vulns()},
		{"summary": "s", "description": "d"},
		{"summary": "s", "description": "d", "vulnerabilities": []any{}},
	} {
		w.do(422, "POST", advisories, bad)
	}
	got = w.do(201, "POST", advisories, obj{
		"summary": "s", "description": "d", "vulnerabilities": vulns(), "credits": []any{obj{"login": "rea", "type": "reporter"}},
	})
	if got["state"] != "draft" || got["submission"] != nil || got["author"].(obj)["type"] != "Bot" || len(got["collaborating_users"].([]any)) != 0 {
		t.Error(got)
	}
	if n := len(w.Pending()); n != 1 {
		t.Errorf("%d webhooks; drafts, edits and acceptance make none", n)
	}
	w.lawful()
}

func TestListTrap(t *testing.T) {
	w := newWorld(t)
	ghsa := must(w.Report("rea", "acme/web", "Hole", "text"))
	if got := w.list(advisories); len(got) != 1 {
		t.Error(got)
	}
	w.SetPermissions(map[string]string{"issues": "write"})
	w.login()
	if got := w.list(advisories); len(got) != 0 {
		t.Error("without the permission the list is not empty:", got)
	}
	if got := w.list("/orgs/acme/security-advisories"); len(got) != 0 {
		t.Error(got)
	}
	if out := w.do(403, "GET", advisories+"/"+ghsa, nil); out["message"] != "Resource not accessible by integration" {
		t.Error(out)
	}
	w.Pending()
	must(w.Report("zoe", "acme/web", "Hole", "text"))
	if got := w.Pending(); len(got) != 0 {
		t.Error("an event without its permission:", got[0].Event)
	}
	w.lawful() // app.yml lists it: a missing grant is not our fault
}

func TestCursors(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		must(w.Report("rea", "acme/web", fmt.Sprint("Hole ", i), "text"))
		w.clock.advance(time.Minute)
	}
	var titles []string
	next := advisories + "?per_page=2&sort=updated&direction=asc"
	for next != "" {
		for _, a := range w.list(next) {
			titles = append(titles, a["summary"].(string))
		}
		res, _, err := w.raw(w.token, "GET", next, nil) //nolint:bodyclose // raw closes it
		if err != nil {
			t.Fatal(err)
		}
		next = ""
		for l := range strings.SplitSeq(res.Header.Get("Link"), ", ") {
			if u, ok := strings.CutSuffix(l, `>; rel="next"`); ok {
				next = strings.TrimPrefix(u, "<https://api.github.com")
			}
		}
	}
	if len(titles) != 5 || titles[0] != "Hole 0" || titles[4] != "Hole 4" {
		t.Error(titles)
	}
}

func TestAdvisoryComments(t *testing.T) {
	w := newWorld(t)
	ghsa := must(w.Report("rea", "acme/web", "Hole", "text"))
	path := advisories + "/" + ghsa + "/comments"
	first := w.do(201, "POST", path, obj{"body": "thank you"})
	w.clock.advance(time.Minute)
	must(w.CommentAdvisory("rea", "acme/web", ghsa, "welcome"))
	must(w.ConfidentialComment("olga", "acme/web", ghsa, "hm"))
	if got := w.list(path); len(got) != 2 {
		t.Error(got)
	}
	since := "?since=" + w.clock.now().Format(time.RFC3339)
	if got := w.list(path + since); len(got) != 1 || got[0]["body"] != "welcome" {
		t.Error(got)
	}
	w.do(200, "PATCH", fmt.Sprintf("%s/%.0f", path, first["id"]), obj{"body": "thank you!"})
	if got := w.list(path + since); len(got) != 2 {
		t.Error("since is not about the update:", got)
	}
	if got := w.do(200, "GET", advisories+"/"+ghsa, nil); got["comments"] != float64(2) {
		t.Error(got["comments"])
	}
	if page := must(w.SeeAdvisory("rea", "acme/web", ghsa)); strings.Contains(page, "hm") || !strings.Contains(page, "heed[bot]: thank you!") {
		t.Error(page)
	}
	w.SetCommentsAPI(false)
	w.do(404, "GET", path, nil)
	w.do(404, "POST", path, obj{"body": "x"})
	w.SetCommentsAPI(true)
	if err := w.AcceptAdvisory("mia", "acme/web", ghsa); err == nil {
		t.Error("accepting takes an admin")
	}
	if err := w.AcceptAdvisory("olga", "acme/web", ghsa); err != nil {
		t.Error(err)
	}
	if err := w.PublishAdvisory("olga", "acme/web", ghsa); err != nil {
		t.Error(err)
	}
	if got := w.list(path); len(got) != 0 {
		t.Error(got)
	}
	w.do(404, "POST", path, obj{"body": "too late"})
	if _, err := w.CommentAdvisory("rea", "acme/web", ghsa, "too late"); err == nil {
		t.Error("commented on a published advisory")
	}
	w.do(404, "GET", "/advisories/"+ghsa, nil)
	w.Pending()
	if err := w.Propagate(ghsa); err != nil {
		t.Fatal(err)
	}
	w.do(200, "GET", "/advisories/"+ghsa, nil)
	d := w.Pending()[0]
	if d.Event != "security_advisory" || d.InstallationID != 0 || strings.Contains(string(d.Body), `"installation"`) || strings.Contains(string(d.Body), `"sender"`) {
		t.Errorf("%s", d.Body)
	}
	w.lawful()
}

func TestDeliveries(t *testing.T) {
	w := newWorld(t)
	down := true
	var guids []string
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if strings.Contains(r.Header.Get("X-Hub-Signature-256"), "sha256=") && len(b) > 0 {
			guids = append(guids, r.Header.Get("X-GitHub-Delivery"))
		}
		if down {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		rw.WriteHeader(http.StatusAccepted)
	}))
	defer door.Close()
	must(w.Report("rea", "acme/web", "Hole", "text"))
	send := func() {
		t.Helper()
		if err := w.Send(context.Background(), door.Client(), door.URL); err != nil {
			t.Fatal(err)
		}
	}
	send()
	token := w.token
	w.token = w.app()
	failed := w.list("/app/hook/deliveries?status=failure")
	if len(failed) != 1 || failed[0]["status_code"] != float64(503) || failed[0]["event"] != "repository_advisory" {
		t.Fatal(failed)
	}
	one := fmt.Sprintf("/app/hook/deliveries/%.0f", failed[0]["id"])
	if got := w.do(200, "GET", one, nil); got["request"].(obj)["payload"].(obj)["action"] != "reported" {
		t.Error(got)
	}
	down = false
	w.do(202, "POST", one+"/attempts", nil)
	send()
	if len(guids) != 2 || guids[0] != guids[1] {
		t.Error("a redelivery has another GUID:", guids)
	}
	all := w.list("/app/hook/deliveries")
	if len(all) != 2 || all[0]["id"] == all[1]["id"] || all[0]["redelivery"] != true || all[0]["status"] != "OK" {
		t.Error(all)
	}
	if len(w.Sent()) < 1 || w.Redeliver("no such") == nil {
		t.Error("redelivered nothing")
	}
	if err := w.Redeliver(guids[0]); err != nil || len(w.Pending()) != 1 {
		t.Error(err)
	}
	w.clock.advance(11 * time.Second) // taken, never told: timed out
	if got := w.list("/app/hook/deliveries?per_page=1"); got[0]["status"] != "timed out" {
		t.Error(got)
	}
	w.clock.advance(3 * 24 * time.Hour)
	w.token = w.app()
	if got := w.list("/app/hook/deliveries"); len(got) != 0 {
		t.Error("older than three days:", got)
	}
	w.do(404, "POST", one+"/attempts", nil)
	w.token = token
}

func TestHandlerOverTheWire(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	get := func(path string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "token "+w.token)
		return srv.Client().Do(req)
	}
	for _, path := range []string{"/repos/acme/web", "/api/v3/repos/acme/web", "/api/v3/installation/repositories"} {
		res, err := get(path)
		if err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %v %v", path, res, err)
			continue
		}
		_ = res.Body.Close()
	}
	w.SetFault(func(*http.Request, bool, int) Fault { return LandedUnanswered })
	if res, err := get("/repos/acme/web"); err == nil {
		_ = res.Body.Close()
		t.Error("an answer came")
	}
}

func TestCancelled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.github.com/meta", nil)
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.Journal())
	if res, err := w.Client().Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("answered a cancelled call")
	}
	if len(w.Journal()) != n {
		t.Error("a cancelled call arrived")
	}
}
