package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
)

var now = time.Date(2026, 1, 8, 9, 0, 0, 0, time.UTC)

type fixed struct {
	desk Desk
	err  error
}

func (f fixed) Desk(context.Context) (Desk, error) { return f.desk, f.err }

func page(s Source, path string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	h := New(s, func() time.Time { return now })
	mux.Handle("GET /{$}", h)
	mux.Handle("GET /case/{id}", h)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec
}

func desk() Desk {
	rule := promise.Rule{Kind: promise.Acknowledge, Within: promise.Span{Duration: 48 * time.Hour}}
	late := promise.Clock{Rule: rule, Start: now.Add(-72 * time.Hour)}
	return Desk{Cases: []Case{
		{Case: disclosure.Case{ID: 1, Kind: disclosure.PrivateReport, State: disclosure.Closed, Outcome: disclosure.Released, GHSA: "GHSA-closed"}},
		{Case: disclosure.Case{ID: 2, Kind: disclosure.PublicReport, State: disclosure.Received, GHSA: "GHSA-late", Clocks: []promise.Clock{late}, Title: disclosure.Seal("deadly header"), Reporter: "<script>alert(1)</script>"}},
	}}
}

func TestDeskShowsWhatWaitsFirst(t *testing.T) {
	t.Parallel()
	body := page(fixed{desk: desk()}, "/").Body.String()
	late, closed := strings.Index(body, "GHSA-late"), strings.Index(body, "GHSA-closed")
	if late < 0 || closed < late {
		t.Errorf("the overdue case stands at %d, the closed one at %d", late, closed)
	}
	for _, want := range []string{"1 open, 1 of them overdue, 1 closed", "overdue for 24 hours"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestDeskLeaksNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/case/2"} {
		rec := page(fixed{desk: desk()}, path)
		if strings.Contains(rec.Body.String(), "deadly header") {
			t.Errorf("%s shows the report", path)
		}
		if strings.Contains(rec.Body.String(), "<script>") {
			t.Errorf("%s runs a stranger's script", path)
		}
		if csp := rec.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s allows %q", path, csp)
		}
	}
}

func TestDeskWithoutLogin(t *testing.T) {
	t.Parallel()
	d := Desk{Closed: true, Troubles: []string{"the tracker acme/x is missing"}}
	body := page(fixed{desk: d}, "/").Body.String()
	if !strings.Contains(body, "heed cases") || !strings.Contains(body, "acme/x is missing") {
		t.Error(body)
	}
	if code := page(fixed{desk: d}, "/case/1").Code; code != http.StatusNotFound {
		t.Errorf("a case without login: %d, want 404", code)
	}
	if code := page(fixed{err: errors.New("disk")}, "/").Code; code != http.StatusInternalServerError {
		t.Errorf("a broken database: %d, want 500", code)
	}
}

func TestSetup(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	Setup("https://heed.example", false).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/setup", nil))
	if !strings.Contains(rec.Body.String(), "https://heed.example/api/github/hook") {
		t.Error(rec.Body.String())
	}
}
