package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
	"github.com/heed-app/heed/pkg/store/postgrestest"
)

// The real command over a GitHub that knows the past: what would have happened, and which of the project's
// own words led to it.
func TestDetectHistory(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", WebhookSecret: "hush", Permissions: demoPermissions(), Events: demoEvents(), Key: key})
	sim.AddUser("eve")
	sim.AddOrg("acme")
	sim.AddRepo("acme", "web", false)
	sim.Install("acme")
	open := func(title, body string) {
		t.Helper()
		_, err := sim.OpenIssue("eve", "acme/web", title, body)
		must(t, err)
	}
	open("SQL injection in the search field lets anyone read the user table", "The parameter q is not escaped. An attacker can read every password hash. PoC: `' union select 1--`")
	open("Explain the nonce reuse attack in the docs", "The attack on nonce reuse is in the paper. An attacker who sees two messages can recover the key. The page should say which of our modes are vulnerable to it.")
	for i := range 130 { // more than a page
		open(fmt.Sprintf("Benchmark %d of the attack simulator is slow", i), "The attacker thread of the simulator waits for the lock.")
	}
	github := httptest.NewServer(sim.Handler())
	defer github.Close()
	settings := map[string]string{
		"GITHUB_V3_API_URL": github.URL + "/", "GITHUB_APP_INTEGRATION_ID": "7", "GITHUB_APP_PRIVATE_KEY": string(sim.PrivateKey()), "GITHUB_APP_WEBHOOK_SECRET": "hush",
	}
	run := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		p := program{out: &out, err: &errs, in: strings.NewReader(""), getenv: func(k string) string { return settings[k] }}
		if code := p.run(t.Context(), append([]string{"detect"}, args...)); code != exitOK {
			t.Fatalf("exit %d: %s", code, &errs)
		}
		return out.String()
	}
	said := run("--history", "acme/web")
	for _, want := range []string{
		"acme/web: 132 issues, ", "  confident      2  would have been taken out of public view\n", "/acme/web/issues/1\n", "/acme/web/issues/2\n",
		"everyday words here: ", "vocabulary: [", "attack",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	file := filepath.Join(t.TempDir(), "disclosure.yml")
	must(t, os.WriteFile(file, []byte("version: 1\nteam: security\ntracker: acme/cases\npublic_reports:\n  vocabulary: [attack, attacker, nonce, vulnerable]\n"), 0o600))
	if said := run("--history", "acme/web", "--policy", file); !strings.Contains(said, "  confident      1  ") || strings.Contains(said, "issues/2\n") {
		t.Errorf("with the words of the project:\n%s", said)
	}
	for _, call := range sim.Journal() {
		if call.Write && !strings.Contains(call.Path, "access_tokens") {
			t.Errorf("it wrote: %s %s", call.Method, call.Path)
		}
	}
}

func TestDetectReport(t *testing.T) {
	t.Parallel()
	say := func(labels ...store.Label) string {
		t.Helper()
		var out bytes.Buffer
		must(t, program{out: &out}.rulings(labels))
		return out.String()
	}
	if got := say(); got != "no maintainer has said confirm, redirect or not-security yet\n" {
		t.Errorf("got %q", got)
	}
	at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	few := say(store.Label{Case: 1, At: at, Security: true, Score: .97}, store.Label{Case: 2, At: at, Score: .7}, store.Label{Case: 3, At: at, Security: true, Score: .1})
	want := `Rulings of maintainers since 2026-01-05: 3. Reports: 2, others: 1.

SCORE          REPORTS  NOT  PRECISION
0.95 and more  1        0    1.00
0.60 to 0.95   0        1    0.00
below 0.60     1        0    1.00

Thresholds can be proposed from 20 rulings on.
`
	if few != want {
		t.Errorf("got %s", few)
	}
	var many []store.Label
	for i := range 40 { // from .60 on; below .80 every second one is a report, from there on all are
		many = append(many, store.Label{Case: int64(i), At: at, Score: .6 + float64(i)/100, Security: i >= 20 || i%2 == 1})
	}
	got := say(many...)
	if !strings.Contains(got, "confident: 0.77 ") || !strings.Contains(got, "suspect:   0.60 ") {
		t.Errorf("got %s", got)
	}
	for i := range many {
		many[i].Security = false
	}
	if got := say(many...); strings.Count(got, "none: ") != 2 {
		t.Errorf("got %s", got)
	}
}

// What was said is in the database, and the command finds it there.
func TestDetectReportReadsTheDatabase(t *testing.T) {
	t.Parallel()
	url := "sqlite://" + filepath.Join(t.TempDir(), "heed.db")
	st, err := store.Open(t.Context(), url, store.OneKey(crashKey()), nil)
	must(t, err)
	err = st.Write(t.Context(), time.Now(), func(tx *store.Tx) error {
		id, err := tx.NewCase(t.Context())
		if err != nil {
			return err
		}
		if err := tx.Save(t.Context(), disclosure.Case{ID: id, Kind: disclosure.Suspect, State: disclosure.Received}, nil, nil); err != nil {
			return err
		}
		return tx.SaveLabel(t.Context(), store.Label{Case: id, Security: true, Score: .97}, disclosure.Seal("title"), disclosure.Seal("body"))
	})
	must(t, err)
	must(t, st.Close())
	var out, errs bytes.Buffer
	p := program{out: &out, err: &errs, getenv: func(k string) string {
		return map[string]string{"HEED_DATA_KEY": "YSBrZXkgdGhhdCBldmVyeWJvZHkgbWF5IGtub3cuLi4="}[k]
	}}
	if code := p.run(t.Context(), []string{"detect", "--report", "--database", url}); code != exitOK || !strings.Contains(out.String(), ": 1. Reports: 1, others: 0.") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
	for _, args := range [][]string{{"--report", "--jsonl"}, {"--history", "acme/web", "--jsonl"}, {"--history", "web"}, {"--policy", "x"}, {"--report", "file"}} {
		if code := p.run(t.Context(), append([]string{"detect"}, args...)); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}

// Operators with PostgreSQL see their queue as those with a file do.
func TestLookingAtPostgres(t *testing.T) {
	t.Parallel()
	db := postgrestest.For(t)
	url, err := db.Database(t.Context())
	must(t, err)
	for command, want := range map[string]string{"cases": "no open cases\n", "work": "nothing was laid aside\n", "detect --report": "no maintainer has said confirm, redirect or not-security yet\n"} {
		var out, errs bytes.Buffer
		p := program{out: &out, err: &errs, getenv: func(k string) string {
			return map[string]string{"HEED_DATA_KEY": "YSBrZXkgdGhhdCBldmVyeWJvZHkgbWF5IGtub3cuLi4=", "HEED_DATABASE_URL": url}[k]
		}}
		if code := p.run(t.Context(), strings.Fields(command)); code != exitOK || out.String() != want {
			t.Errorf("%s: exit %d: %s%s", command, code, &out, &errs)
		}
	}
}
