package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/heed-app/heed/pkg/hubsim"
)

// TestSweep tells every story again with every write failing in both ways, with the power cut
// after every write, and with the power cut after every commit. In the end everybody must see the
// same as if nothing had gone wrong: nothing lost, nothing said twice.
func TestSweep(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(stories + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			sweepStory(t, file)
		})
	}
}

// strides thin the sweep out: how far apart the writes are that fail, and the commits after which
// the power is cut. All of them take minutes; HEED_SWEEP=all, as in CI, leaves nothing out.
func strides() (writes, cuts int) {
	switch {
	case testing.Short():
		return 7, 23
	case os.Getenv("HEED_SWEEP") == "all":
		return 1, 1
	default:
		return 1, 11
	}
}

func sweepStory(t *testing.T, file string) {
	t.Helper()
	root := inMemory(t)
	want := tell(t, root, file, func(*world) {})
	if len(want.violations) > 0 {
		t.Fatalf("without any disaster: %s", want.violations)
	}
	disasters := 0
	check := func(what string, change func(*world)) {
		disasters++
		got := tell(t, root, file, change)
		if got.dump != want.dump {
			t.Errorf("%s:\n%s", what, firstDifference(want.dump, got.dump))
		}
		if len(got.violations) > 0 {
			t.Errorf("%s: laws broken: %s", what, got.violations)
		}
	}
	writes, cuts := strides()
	for n := 1; n <= want.writes; n += writes {
		check(fmt.Sprintf("write %d lost", n), func(w *world) { w.sim.SetFault(nth(n, hubsim.Lost)) })
		check(fmt.Sprintf("write %d landed unanswered", n), func(w *world) { w.sim.SetFault(nth(n, hubsim.LandedUnanswered)) })
		if n%cuts == 0 {
			check(fmt.Sprintf("power cut after write %d", n), func(w *world) { w.landCut = n })
		}
	}
	for n := 1 + len(file)%cuts; n <= want.commits; n += cuts {
		check(fmt.Sprintf("power cut after commit %d", n), func(w *world) { w.cutAt = n })
	}
	t.Logf("%d disasters", disasters)
}

func nth(n int, f hubsim.Fault) func(*http.Request, bool, int) hubsim.Fault {
	return func(_ *http.Request, write bool, i int) hubsim.Fault {
		if write && i == n {
			return f
		}
		return hubsim.None
	}
}

// inMemory is a directory on a file system in memory, where there is one. The power that is cut here
// is that of a process: what it wrote is there whatever lies below, and the disk would be waited for
// some hundred thousand times.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "heed-story") //nolint:usetesting // the point is where it is
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// outcome is what a story comes to.
type outcome struct {
	dump            string
	violations      []string
	writes, commits int
}

// tell runs a story for its end only: what it expects on the way may come a second later.
func tell(t *testing.T, root, file string, change func(*world)) (o outcome) {
	t.Helper()
	testscript.RunT(inline{t}, testscript.Params{
		Files: []string{file}, Cmds: verbs(), ContinueOnError: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			return setUpIn(root, "", e, change, func(w *world) {
				if err := w.advance(2 * time.Hour); err != nil {
					t.Errorf("%s: %v", filepath.Base(file), err)
				}
				o = outcome{roughly(steady(w, w.dump())), w.sim.Violations(), w.sim.Writes(), w.commits}
			})
		},
	})
	return o
}

var changing = regexp.MustCompile(`stood open for \*\*[^*]+\*\*|issuecomment-\d+`)

// roughly takes out what a second or a call more or less changes.
func roughly(s string) string { return changing.ReplaceAllString(s, "…") }

// firstDifference shows where two texts part, with a little around it.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	part := func(lines []string) string { return strings.Join(lines[max(0, i-3):min(len(lines), i+12)], "\n") }
	return "want …\n" + part(a) + "\n\ngot …\n" + part(b)
}

// inline runs a script without making it a test of its own.
type inline struct{ *testing.T }

func (i inline) Parallel()                          {}
func (i inline) Verbose() bool                      { return false }
func (i inline) FailNow()                           {}
func (i inline) Log(...any)                         {}
func (i inline) Run(_ string, f func(testscript.T)) { f(i) }
