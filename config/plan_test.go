package config_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/heed-app/heed/"

// Floors of the house. Whatever needs no floor says so with a negative one.
const (
	entrance = -1 // may import anything, is imported by nothing
	apart    = -2 // imports nothing of ours
)

// A room is a package. besides are the rooms of its own floor that it may enter all the same.
type room struct {
	floor   int
	besides []string
}

// plan is the house. A package that is not on it fails the test: put it as low as it will go.
func plan() map[string]room {
	return map[string]room{
		"config":                 {floor: apart}, // settings; read by app and cmd
		"pkg/hubsim":             {floor: apart}, // a type shared with what it tests would hide a shared mistake
		"pkg/store/postgrestest": {floor: apart}, // a real server, for tests
		"pkg/promise":            {floor: 0},
		"pkg/disclosure":         {floor: 0, besides: []string{"pkg/promise"}}, // a case holds its clocks
		"pkg/mark":               {floor: 0},
		"pkg/command":            {floor: 0},
		"pkg/policy":             {floor: 1},
		"pkg/detect":             {floor: 1},
		"pkg/wording":            {floor: 1},
		"pkg/release":            {floor: 1, besides: []string{"pkg/policy"}}, // the checklist is filled from the policy
		"pkg/flow":               {floor: 2},
		"pkg/store":              {floor: 3},
		"pkg/hub":                {floor: 3},
		"pkg/door":               {floor: 3, besides: []string{"pkg/store"}}, // taking in is putting on disk
		"pkg/dashboard":          {floor: 3},
		"pkg/opinion":            {floor: 3},
		"pkg/learn":              {floor: 2}, // how the detector's model is made; no part of the App
		"pkg/engine":             {floor: 4},
		"pkg/app":                {floor: 5, besides: []string{"config"}},
		"cmd/heed":               {floor: entrance},
		"cmd/heed-train":         {floor: entrance},
	}
}

// reasons say why a floor exists, for whoever meets this test for the first time.
func reasons() map[int]string {
	return map[int]string{
		apart: "it stands apart, so that nothing of ours can be wrong on both of its sides",
		0:     "floor 0 is the vocabulary: everybody speaks it, so it knows nobody",
		1:     "floor 1 knows one subject each: its rooms stay testable with plain tables",
		2:     "floor 2 decides in pure code from values alone: whatever it needs is handed to it",
		3:     "floor 3 is adapters: they do not know each other and meet in engine and app, so that each can be replaced",
		4:     "floor 4 lets the adapters work together; how the App is put together is not its business",
		5:     "floor 5 wires the house; only cmd stands above it",
	}
}

// worldly is what floors 0 to 2 may not reach, with those who may: they are pure, for the same
// question must get the same answer in a test, at midnight and after a crash.
func worldly() map[string][]string {
	return map[string][]string{
		"os": {}, "net": {}, "net/http": {}, "database/sql": {}, "log": {}, "math/rand": {}, "math/rand/v2": {}, "context": {},
		"sync":     {"pkg/detect", "pkg/policy", "pkg/wording", "pkg/learn"}, // a table made once; workers who share nothing
		"log/slog": {"pkg/disclosure"},                                       // LogValue: embargoed text logs as [embargoed]
	}
}

// TestPlan compares the imports of every package with the plan of the house.
func TestPlan(t *testing.T) {
	t.Parallel()
	rooms, why, forbidden := plan(), reasons(), worldly()
	lived := map[string]bool{}
	for name, imports := range imported(t) {
		me, ok := rooms[name]
		lived[name] = true
		if !ok {
			t.Errorf("%s is not on the plan of the house: add it to config/plan_test.go, on the lowest floor that will do", name)
			continue
		}
		for _, imp := range imports {
			other, ours := strings.CutPrefix(imp, module)
			there, known := rooms[other]
			friends, outside := forbidden[imp]
			switch {
			case outside && me.floor >= 0 && me.floor <= 2 && !slices.Contains(friends, name):
				t.Errorf("%s (floor %d) imports %s: floors 0 to 2 are pure, no clock, no I/O, no chance, so that a decision can be repeated", name, me.floor, imp)
			case !ours || !known || me.floor == entrance || slices.Contains(me.besides, other):
			case me.floor == apart || there.floor < 0 || there.floor >= me.floor:
				t.Errorf("%s (floor %d) imports %s (floor %d): %s", name, me.floor, other, there.floor, why[me.floor])
			}
		}
	}
	for name := range rooms {
		if !lived[name] {
			t.Errorf("%s is on the plan but not in the house", name)
		}
	}
}

// imported lists our packages with what they import, tests left out.
func imported(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p.Imports
	}
}
