package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// aLife is a world in which all happened that is counted: a leak, a private report that was answered,
// one that only the sweep found.
func aLife(t *testing.T) *world {
	t.Helper()
	w := openWorld(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(w.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", livePolicy))
	do(w.settle())
	_, err := w.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody)
	do(err)
	ghsa, err := w.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	do(err)
	do(w.settle())
	do(w.sim.AcceptAdvisory("lea", "acme/web", ghsa))
	do(w.advance(time.Hour))
	w.lost = true
	_, err = w.sim.Report("rea", "acme/web", "Underflow", "A deadly footer.")
	do(err)
	do(w.sweep())
	w.now = w.now.Add(50 * time.Hour) // nobody looks at the clock: promises are broken
	return w
}

// scraped gives the heed_ metrics of a scrape with their types.
func scraped(body string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (heed_\w+) (\w+)$`).FindAllStringSubmatch(body, -1) {
		out[m[1]] = m[2]
	}
	return out
}

// value is what a scrape says of one series; -1 when it says nothing.
func value(t *testing.T, body, series string) float64 {
	t.Helper()
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return -1
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := aLife(t)
	body := get(w, "/metrics")
	for series, want := range map[string]float64{
		`heed_deliveries_total{outcome="thought"}`:                        0, // at least one more
		`heed_think_seconds_count`:                                        0,
		`heed_act_seconds_count{action="edit-issue"}`:                     0,
		`heed_attempt_seconds_count`:                                      0,
		`heed_exposure_seconds_count`:                                     0,
		`heed_promises_ended_total{outcome="kept",promise="acknowledge"}`: 0,
		`heed_promises{promise="acknowledge",state="overdue"}`:            1, // the leak, and the one of the sweep
		`heed_promises{promise="acknowledge",state="kept"}`:               0,
		`heed_api_calls_total{kind="read",outcome="ok"}`:                  0,
		`heed_api_calls_total{kind="urgent",outcome="ok"}`:                0,
		`heed_api_seconds_count{kind="create"}`:                           0,
		`heed_rate_budget{budget="points-minute"}`:                        0,
		`heed_open_cases{state="received"}`:                               1,
		`heed_open_cases{state="accepted"}`:                               0,
		`heed_queue_depth{what="due-cases"}`:                              0,
		`heed_queue_oldest_seconds{what="due-cases"}`:                     0,
		`heed_sweep_findings_total{what="advisory"}`:                      0,
		`heed_sweep_seconds_count`:                                        0,
		`heed_last_sweep_timestamp_seconds`:                               float64(start.Unix()),
		`heed_database_bytes`:                                             0,
	} {
		if got := value(t, body, series); got <= want {
			t.Errorf("%s is %v, want more than %v", series, got, want)
		}
	}
	for _, series := range []string{`heed_queue_depth{what="deliveries"}`, `heed_queue_depth{what="urgent-effects"}`, `heed_queue_depth{what="parked-effects"}`, `heed_queue_oldest_seconds{what="held-effects"}`, `heed_installations_shut{reason="limited"}`} {
		if got := value(t, body, series); got != 0 {
			t.Errorf("%s is %v, want 0", series, got)
		}
	}
	if !strings.Contains(body, "heed_build_info{") {
		t.Error("no heed_build_info")
	}
	_, exposition, _ := strings.Cut(body, "\n")
	problems, err := promlint.New(strings.NewReader(exposition)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, secret := range []string{"acme", "security-cases", "rea", "mia", "eve", "GHSA", "deadly", "injection", "Overflow"} {
		if regexp.MustCompile(`(?i)\b` + secret + `\b`).MatchString(exposition) {
			t.Errorf("the scrape says %q", secret)
		}
	}
}

// What cannot be read is left out: a missing gauge is seen, a zero is believed.
func TestGaugesOfADatabaseThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.TempDir(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, get(w, "/metrics"), `heed_queue_depth{what="deliveries"}`); got != 0 {
		t.Fatalf("in the beginning: %v", got)
	}
	if err := w.powerOff(); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	body := get(w, "/metrics")
	for _, gone := range []string{"heed_queue_depth", "heed_queue_oldest_seconds", "heed_promises{", "heed_open_cases"} {
		if strings.Contains(body, "\n"+gone) {
			t.Errorf("%s is still there", gone)
		}
	}
	if value(t, body, "heed_attempt_seconds_count") != 0 || !strings.HasPrefix(body, fmt.Sprint(http.StatusOK)) {
		t.Errorf("the others went with them: %.200s", body)
	}
}

const deploy = "../../config/deploy/"

// named are the heed_ metrics that a text speaks of, histograms by their own name.
func named(text string, known map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bheed_[a-z_]+`).FindAllString(text, -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && known[base] == "histogram" {
				name = base
			}
		}
		out[name] = true
	}
	return out
}

// TestDeployedNames compares the dashboard and the alerts with what the App exports: every metric that
// they name exists, and every one that exists is shown.
func TestDeployedNames(t *testing.T) {
	t.Parallel()
	known := scraped(get(aLife(t), "/metrics"))
	if len(known) < 15 {
		t.Fatalf("only %v", known)
	}
	shown := named(strings.Join(dashboardQueries(t), "\n"), known)
	for what, names := range map[string]map[string]bool{"the dashboard": shown, "the alerts": named(strings.Join(alertQueries(t), "\n"), known)} {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if known[name] == "" {
				t.Errorf("%s names %s, which is not exported", what, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

func dashboardQueries(t *testing.T) (out []string) {
	t.Helper()
	text, err := os.ReadFile(deploy + "grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	type panel struct {
		ID          int
		Type, Title string
		Targets     []struct{ Expr string }
		GridPos     struct{ X, Y, W, H int }
	}
	var d struct {
		Title, UID    string
		SchemaVersion int
		Panels        []panel
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Title == "" || d.UID == "" || d.SchemaVersion < 36 {
		t.Errorf("Grafana does not import %q, %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: its number, its place or its query is wrong", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, q := range p.Targets {
			out = append(out, q.Expr)
		}
	}
	return out
}

func alertQueries(t *testing.T) (out []string) {
	t.Helper()
	text, err := os.ReadFile(deploy + "alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if names[r.Alert] || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("alert %q lacks something, or is there twice", r.Alert)
			}
			if open, shut := strings.Count(r.Expr, "("), strings.Count(r.Expr, ")"); open != shut {
				t.Errorf("alert %q: %d brackets are opened, %d closed", r.Alert, open, shut)
			}
			names[r.Alert] = true
			out = append(out, r.Expr)
		}
	}
	if len(names) < 8 {
		t.Errorf("only %d alerts", len(names))
	}
	return out
}
