package policy_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
)

const day = 24 * time.Hour

func full(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../../testdata/policy/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lines prints mistakes without the file's name, one per line.
func lines(mistakes []policy.Mistake) string {
	var b strings.Builder
	for _, m := range mistakes {
		b.WriteString(strings.TrimPrefix(m.String(), "p.yml:") + "\n")
	}
	return b.String()
}

// The explained file and the built-in policy are the same policy.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"disclosure.yml": string(config.DisclosureYML), "shortest": "version: 1"} {
		got, mistakes := policy.Parse("p.yml", []byte(data))
		if len(mistakes) > 0 {
			t.Errorf("%s: %s", name, lines(mistakes))
		}
		if diff := cmp.Diff(policy.Default(), got); diff != "" {
			t.Errorf("%s (-Default +Parse):\n%s", name, diff)
		}
	}
}

// What is commented out in the explained file is right, too.
func TestBuiltInExamples(t *testing.T) {
	t.Parallel()
	seen := 0
	for line := range strings.Lines(string(config.DisclosureYML)) {
		example, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		key, _, isKey := strings.Cut(example, ": ")
		if !ok || !isKey || strings.ContainsAny(key, " ,.") {
			continue
		}
		seen++
		nested := map[string]string{
			"vocabulary": "public_reports", "decide": "promises", "update": "promises", "fix": "promises",
			"by_severity": "promises", "escalate_to": "promises", "within": "embargo", "announce": "release", "tags": "release",
		}
		if parent, ok := nested[key]; ok {
			example = parent + ":\n  " + example
		}
		if _, mistakes := policy.Parse("p.yml", []byte("version: 1\n"+example)); len(mistakes) > 0 {
			t.Errorf("%s\n%s", example, lines(mistakes))
		}
	}
	if seen < 13 {
		t.Errorf("only %d examples found", seen)
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	rule := func(k promise.Kind, within time.Duration) promise.Rule {
		return promise.Rule{Kind: k, Within: promise.Span{Duration: within}, RemindAt: []int{50, 80, 100}, Repeat: day, RepeatLimit: 7}
	}
	want := policy.Policy{
		Team:         []string{"security"},
		Tracker:      "acme/security-cases",
		Coordinators: []string{"mia", "sam"},
		Package:      policy.Package{Ecosystem: "pip", Name: "cryptography"},
		Intake: policy.Intake{
			FallbackContact: "security@acme.example",
			Scopes:          map[string]policy.Scope{"infrastructure": {Hosts: []string{"acme.example"}, CVE: "never"}},
		},
		Public: policy.Default().Public,
		Promises: policy.Promises{
			Rules: []promise.Rule{
				rule(promise.Acknowledge, 48*time.Hour), rule(promise.Decide, 7*day),
				rule(promise.Update, 14*day), rule(promise.Fix, 90*day),
			},
			BySeverity: map[string]map[promise.Kind]promise.Span{"critical": {promise.Fix: {Duration: 7 * day}}},
			EscalateTo: []string{"@acme/leads"},
			PauseLimit: 14 * day,
		},
		Embargo: policy.Embargo{Within: 90 * day},
		Release: policy.Release{
			Branches: []string{"main"}, Releases: 1, Checklist: "default",
			Announce:   []string{"cryptography-dev@python.org", "oss-security@lists.openwall.com"},
			Visibility: "private", Verify: []string{"github", "osv"},
		},
		Bundles:   []policy.Bundle{{Name: "openssl", Upstream: "openssl/openssl", Tags: "openssl-*", OpenOn: []string{"security", "bugfix"}}},
		Notify:    []policy.Notify{{Kind: "slack", URLFrom: "SLACK_WEBHOOK"}},
		Wording:   map[string]string{"reply": ".github/disclosure/reply.md"},
		Approvals: 2,
		Mode:      policy.Act,
	}
	got, mistakes := policy.Parse("p.yml", full(t))
	if len(mistakes) > 0 {
		t.Error(lines(mistakes))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Everything that the big example leaves out.
func TestRest(t *testing.T) {
	t.Parallel()
	got, mistakes := policy.Parse("p.yml", []byte(`version: 1
team: [core, security]
public_reports: {watch: [], confident: [label, lock], threshold: {confident: 1}, vocabulary: [exploit, payload]}
promises:
  acknowledge: {within: 1 business day, counts: any, calendar: office}
  fix: {within: 1w2d}
  by_severity: {high: {acknowledge: 2 business days}}
  remind_at: [100%]
  repeat: 12h
  repeat_limit: 0
calendars:
  office: {days: [sun-tue, thu], hours: "08:30-24:00", timezone: Asia/Tokyo, holidays: jp}
embargo: {prenotify: 7d}
release: {tags: "rel-*", supported: {releases: 3}}
bundles:
  - name: zlib
    upstream: madler/zlib
    tags: "v*"
mode: dry-run
retain: 365d
`))
	if len(mistakes) > 0 {
		t.Fatal(lines(mistakes))
	}
	want := policy.Default()
	want.Team = []string{"core", "security"}
	want.Public.Watch = nil
	want.Public.Confident = []policy.Measure{policy.Label, policy.Lock}
	want.Public.Threshold.Confident = 1
	want.Public.Vocabulary = []string{"exploit", "payload"}
	want.Promises.Rules = []promise.Rule{
		{
			Kind: promise.Acknowledge, Within: promise.Span{BusinessDays: 1}, Machine: true,
			Calendar: promise.Calendar{
				Name: "office", Days: []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Thursday},
				From: 8*time.Hour + 30*time.Minute, To: day, Timezone: "Asia/Tokyo", Holidays: "jp",
			},
			RemindAt: []int{100}, Repeat: 12 * time.Hour,
		},
		{Kind: promise.Fix, Within: promise.Span{Duration: 9 * day}, RemindAt: []int{100}, Repeat: 12 * time.Hour},
	}
	want.Promises.BySeverity = map[string]map[promise.Kind]promise.Span{"high": {promise.Acknowledge: {BusinessDays: 2}}}
	want.Embargo.Prenotify = 7 * day
	want.Release.Tags, want.Release.Releases = "rel-*", 3
	want.Bundles = []policy.Bundle{{Name: "zlib", Upstream: "madler/zlib", Tags: "v*", OpenOn: []string{"security", "bugfix"}}}
	want.Mode, want.Retain = policy.DryRun, 365*day
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestThousandMistakes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("version: 1\n")
	for i := range 1000 {
		b.WriteString("nonsense" + strconv.Itoa(i) + ": 1\n")
	}
	_, mistakes := policy.Parse("p.yml", []byte(b.String()))
	if len(mistakes) != 51 {
		t.Fatalf("%d mistakes", len(mistakes))
	}
	want := policy.Mistake{File: "p.yml", Line: 52, Column: 1, Message: "and 950 more"}
	if mistakes[50] != want {
		t.Errorf("got %+v, want %+v", mistakes[50], want)
	}
}

// Files made to hurt are refused quickly; the time is the test's, not ours to measure.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"deep":     "a: " + strings.Repeat("[", 200_000),
		"deep map": "a: " + strings.Repeat("{a: ", 50_000),
		"dashes":   strings.Repeat("- ", 100_000),
		"keys":     strings.Repeat("a:\n", 80_000),
		"list":     "team: [" + strings.Repeat("a,", 120_000) + "]",
		"large":    strings.Repeat("#", 256<<10+1),
		"binary":   "version: 1\nteam: \xff\xfe",
		"NUL":      "version: 1\nteam: \x00",
		"lines":    "version: 1\nteam: |\n" + strings.Repeat("\n", 200_000),
		"laughs":   "version: 1\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]",
	} {
		if _, mistakes := policy.Parse("p.yml", []byte(data)); len(mistakes) == 0 {
			t.Errorf("%s: no mistake", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.DisclosureYML)
	f.Add(full(f))
	for _, c := range mistakeCases() {
		f.Add([]byte(c.file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, mistakes := policy.Parse("p.yml", data)
		if len(mistakes) > 51 {
			t.Errorf("%d mistakes", len(mistakes))
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Message == "" || strings.Contains(m.Message+m.Fix, "\n") {
				t.Errorf("bad mistake %+v", m)
			}
		}
		ack, ok := p.Promises.Rule(promise.Acknowledge)
		if !ok || ack.Within.IsZero() || p.Approvals < 1 || p.Public.Threshold.Confident <= 0 {
			t.Errorf("a policy that protects nobody: %+v", p)
		}
	})
}
