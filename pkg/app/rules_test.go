package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/heed-app/heed/pkg/command"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/wording"
)

// flowStrings are the string literals of pkg/flow, and those among them that stand in a case.
func flowStrings(t *testing.T) (all, cases map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("../flow/*.go")
	if err != nil {
		t.Fatal(err)
	}
	all, cases = map[string]bool{}, map[string]bool{}
	collect := func(into map[string]bool) func(ast.Node) bool {
		return func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil {
					into[s] = true
				}
			}
			return true
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, collect(all))
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok {
				for _, e := range c.List {
					ast.Inspect(e, collect(cases))
				}
			}
			return true
		})
	}
	return all, cases
}

// TestEveryTextIsUsed keeps words that nobody says out of the house.
func TestEveryTextIsUsed(t *testing.T) {
	t.Parallel()
	said, _ := flowStrings(t)
	for _, name := range wording.Names() {
		if !said[name] {
			t.Errorf("pkg/flow never says wording %q", name)
		}
	}
}

// TestEveryCommandIsObeyed compares the help with what flow does: a command is built, or says that
// it is not.
func TestEveryCommandIsObeyed(t *testing.T) {
	t.Parallel()
	_, cases := flowStrings(t)
	for _, w := range command.Words() {
		if w.Later == cases[w.Name] {
			t.Errorf("command %q: refused by the table %t, handled in flow %t", w.Name, w.Later, cases[w.Name])
		}
	}
}

// grants says what GitHub wants for each endpoint that Heed uses: permission and level. It is kept
// by hand, apart from hubsim, which may be wrong. Source: GitHub's documentation, "Permissions
// required for GitHub Apps", and for advisory comments the changelog of 2026-10-02.
func grants() map[string]string {
	const repo, issues, advisories = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/issues", "/repos/{owner}/{repo}/security-advisories"
	return map[string]string{
		// As the App itself, or for its own token: no permission.
		"GET /app": "", "GET /app/installations": "", "GET /app/hook/deliveries": "", "GET /repos/{owner}/{repo}/installation": "",
		"POST /app/hook/deliveries/{delivery_id}/attempts": "", "POST /app/installations/{installation_id}/access_tokens": "",

		"GET /installation/repositories":                           "metadata: read",
		"GET " + repo:                                              "metadata: read",
		"GET " + repo + "/private-vulnerability-reporting":         "metadata: read",
		"GET " + repo + "/collaborators/{username}/permission":     "metadata: read",
		"GET /orgs/{org}/teams/{team_slug}/memberships/{username}": "members: read",
		"GET " + repo + "/contents/{path}":                         "contents: read",
		"GET " + repo + "/releases":                                "contents: read",
		"POST /graphql":                                            "issues: read", // an issue's edits
		"GET " + issues:                                            "issues: read",
		"GET " + issues + "/{issue_number}":                        "issues: read",
		"GET " + issues + "/{issue_number}/comments":               "issues: read",
		"POST " + issues:                                           "issues: write",
		"PATCH " + issues + "/{issue_number}":                      "issues: write",
		"POST " + issues + "/{issue_number}/comments":              "issues: write",
		"GET " + issues + "/comments":                              "issues: read",
		"GET " + issues + "/comments/{comment_id}":                 "issues: read",
		"DELETE " + issues + "/comments/{comment_id}":              "issues: write",
		"POST " + issues + "/comments/{comment_id}/reactions":      "issues: write",
		"POST " + issues + "/{issue_number}/labels":                "issues: write",
		"DELETE " + issues + "/{issue_number}/labels/{name}":       "issues: write",
		"PUT " + issues + "/{issue_number}/lock":                   "issues: write",
		"DELETE " + issues + "/{issue_number}/lock":                "issues: write",
		"GET " + advisories:                                        "repository_advisories: read",
		"GET " + advisories + "/{ghsa_id}":                         "repository_advisories: read",
		"GET " + advisories + "/{ghsa_id}/comments":                "repository_advisories: read",
		"GET /orgs/{org}/security-advisories":                      "repository_advisories: write",
		"POST " + advisories:                                       "repository_advisories: write",
		"PATCH " + advisories + "/{ghsa_id}":                       "repository_advisories: write",
		"POST " + advisories + "/{ghsa_id}/comments":               "repository_advisories: write",
		"PATCH " + advisories + "/{ghsa_id}/comments/{comment_id}": "repository_advisories: write",
	}
}

// permissionsFit holds three things together: what app.yml asks the owners for, what /readyz says
// is missing, and what the stories used. Nothing is asked for that is not needed.
func permissionsFit(t *testing.T, journal []hubsim.Call) {
	known, used := grants(), map[string]string{}
	for _, c := range journal {
		grant, ok := known[c.Route]
		if !ok {
			known[c.Route] = ""
			t.Errorf("%q (%s %s) is new: say in grants what GitHub wants for it", c.Route, c.Method, c.Path)
		}
		if name, level, _ := strings.Cut(grant, ": "); name != "" && used[name] != "write" {
			used[name] = level
		}
	}
	m, err := manifest()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(m.Permissions, used) {
		t.Errorf("app.yml asks for %v, the stories used %v", m.Permissions, used)
	}
	w := openWorld(t)
	w.sim.SetPermissions(nil)
	missed := map[string]string{"metadata": "read"} // every App has it; it cannot be missing
	for _, l := range regexp.MustCompile(`lacks the permission (\w+): (\w+)`).FindAllStringSubmatch(get(w, "/readyz"), -1) {
		missed[l[1]] = l[2]
	}
	if !maps.Equal(m.Permissions, missed) {
		t.Errorf("app.yml asks for %v, /readyz misses %v", m.Permissions, missed)
	}
}

// A ledger is a log that may be written from everywhere.
type ledger struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *ledger) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// recorded tells every story with the most talkative log, and returns all that GitHub was asked
// and all that was logged.
func recorded(t *testing.T) (journal []hubsim.Call, logged string) {
	t.Helper()
	var (
		log ledger
		mu  sync.Mutex
	)
	talkative := func(w *world) {
		w.log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if err := errors.Join(w.powerOff(), w.powerOn()); err != nil {
			panic(err)
		}
	}
	t.Run("stories", func(t *testing.T) { // returns when its parallel children have
		testscript.Run(t, testscript.Params{Dir: stories, Cmds: verbs(), Setup: func(e *testscript.Env) error {
			return setUp(e, talkative, func(w *world) {
				mu.Lock()
				defer mu.Unlock()
				journal = append(journal, w.sim.Journal()...)
			})
		}})
	})
	return journal, log.b.String()
}

// TestAllStories looks at everything that Heed asked of GitHub and said in its log while all the
// stories were told.
func TestAllStories(t *testing.T) {
	t.Parallel()
	journal, logged := recorded(t)
	if lines := strings.Count(logged, "\n"); lines < 100 || len(journal) < 100 {
		t.Fatalf("%d calls and %d lines of log: there is nothing to look at", len(journal), lines)
	}
	t.Run("requests fit GitHub's description", func(t *testing.T) { requestsFit(t, journal) })
	t.Run("permissions fit app.yml", func(t *testing.T) { permissionsFit(t, journal) })
	t.Run("nothing secret gets out", func(t *testing.T) { nothingSecret(t, journal, logged) })
}

// nothingSecret looks for credentials in log and requests, and in the log for what people wrote.
func nothingSecret(t *testing.T, journal []hubsim.Call, logged string) {
	var asked strings.Builder
	for _, c := range journal {
		fmt.Fprintln(&asked, c.Method, c.Path, c.Query, string(c.RequestBody))
	}
	for _, s := range credentials(t) {
		if strings.Contains(logged, s) || strings.Contains(asked.String(), s) {
			t.Errorf("a credential that begins with %.8q is in the log or in a request", s)
		}
	}
	written := writtenByPeople(t)
	for _, s := range written {
		if strings.Contains(logged, s) {
			t.Errorf("the log says %q, which a person wrote", s)
		}
	}
	t.Logf("%d lines of log; %d lines that people wrote are not in it", strings.Count(logged, "\n"), len(written))
}

func credentials(t *testing.T) []string {
	t.Helper()
	out := []string{"ghs_", "BEGIN RSA", "BEGIN PRIVATE", webhookSecret, "Bearer ", "a key that everybody may know"}
	w := openWorld(t)
	for line := range strings.Lines(string(w.sim.PrivateKey())) {
		if line = strings.TrimSpace(line); len(line) >= 40 {
			out = append(out, line)
		}
	}
	return out
}

// writtenByPeople are the words that stories call canaries, and the lines of the texts that are
// reported, opened, drafted or edited in them.
func writtenByPeople(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(stories + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	canary := regexp.MustCompile(`(?m)^canary (.*)$`)
	word := regexp.MustCompile(`'([^']+)'|(\S+)`)
	file := regexp.MustCompile(`(?m)^\S+ (?:reports|opens|drafts|edits) .*?(\S+\.md)`)
	found := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range canary.FindAllStringSubmatch(string(text), -1) {
			for _, w := range word.FindAllStringSubmatch(m[1], -1) {
				found[w[1]+w[2]] = true
			}
		}
		for _, m := range file.FindAllStringSubmatch(string(text), -1) {
			_, body, _ := strings.Cut(string(text), "-- "+m[1]+" --\n")
			body, _, _ = strings.Cut(body, "\n-- ")
			for line := range strings.Lines(body) {
				if line = strings.TrimSpace(line); len(line) >= 15 {
					found[line] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
