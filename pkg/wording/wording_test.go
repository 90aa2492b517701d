package wording_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/pkg/wording"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// full is all that can be said.
func full() wording.Data {
	return wording.Data{
		Repo: "acme/web", Reporter: "rea", Actor: "mia", Coordinator: "sam", Mentions: "@acme/security",
		State: "received", Opened: "2026-01-05 09:00 UTC", Now: "2026-01-05 09:01 UTC", Due: "2026-01-07 09:00 UTC", Until: "2026-01-19 09:00 UTC", OpenFor: "2 minutes",
		Link:    "https://github.com/acme/web/security/advisories/new",
		Contact: "security@acme.example",
		GHSA:    "GHSA-2345-6789-cfgh", AdvisoryURL: "https://github.com/acme/web/security/advisories/GHSA-2345-6789-cfgh", AdvisoryState: "draft",
		IssueURL: "https://github.com/acme/web/issues/1", ReleaseURL: "https://github.com/acme/security-cases/issues/2",
		CaseURL: "https://github.com/acme/security-cases/issues/1", CVE: "CVE-2026-1234", Severity: "high",
		Text: "Which version is it?", Reason: "documented", Headline: "80 % of the time to acknowledge have passed.", Detail: "Due by 2026-01-07 09:00 UTC.",
		Next: "`/ack`", Quoted: "> a text of ours", Tag: "v1.4.3", Checklist: "- [ ] Release published\n", Status: "| status |", Story: "What happened.", Trouble: "the label could not be set",
		PVR: true, Invited: true, Hidden: true, Closed: true, HistoryOpen: true, Missed: true, Published: true,
		Moved: []string{"The issue could not be locked."}, Said: []string{"`/ack`: done"},
		Clocks: []wording.ClockLine{{Name: "Acknowledge", Text: "2026-01-07 09:00 UTC"}},
	}
}

// minimal is what is there in every case.
func minimal() wording.Data {
	return wording.Data{Repo: "acme/web", Reporter: "rea", Status: "Nothing was decided yet.", Link: "https://github.com/acme/web/security/advisories/new"}
}

func words(secret string) wording.Words { return wording.Words{Secret: []byte(secret)} }

func TestGolden(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "testdata", "golden")
	for _, name := range wording.Names() {
		for _, v := range []struct {
			file string
			data wording.Data
		}{{name + ".md", full()}, {name + ".minimal.md", minimal()}} {
			t.Run(v.file, func(t *testing.T) {
				t.Parallel()
				got := words("golden").Text(name, v.data)
				if got != strings.TrimSpace(got) || strings.Contains(got, "\n\n\n") {
					t.Errorf("blank lines that nobody needs:\n%q", got)
				}
				if got == "" || strings.Contains(got, "<no value>") || strings.Contains(got, "{{") {
					t.Errorf("not a text for people:\n%s", got)
				}
				file := filepath.Join(dir, v.file)
				if *update {
					if err := os.WriteFile(file, []byte(got+"\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
					t.Errorf("go test ./pkg/wording -update writes it anew (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestEveryGoldenHasItsText(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("they are being written")
	}
	files, err := filepath.Glob("../../testdata/golden/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(wording.Names()); len(files) != want {
		t.Errorf("%d goldens of %d texts: a text is gone and its golden is not", len(files), want/2)
	}
}

// situations are all the turns that a public text can take, with data that is easy to tell from words.
func situations() []wording.Data {
	var out []wording.Data
	for n := range 1 << 7 {
		on := func(bit int) bool { return n>>bit&1 == 1 }
		d := wording.Data{Reporter: "DATA", Link: "DATA", PVR: on(0), Invited: on(1), Hidden: on(2), Closed: on(3), IsComment: on(4)}
		if on(5) {
			d.Contact = "DATA"
		}
		if on(6) {
			d.Due = "DATA"
		}
		out = append(out, d)
	}
	return out
}

func secrets(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("installation %d", i))
	}
	return out
}

// sentences of four words and more that carry no data.
func sentences(text string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".:;!?\n", r) }) {
		if len(strings.Fields(s)) >= 4 && !strings.Contains(s, "DATA") {
			out = append(out, strings.TrimSpace(s))
		}
	}
	return out
}

// Whoever finds one text of ours must not find all the others by it.
func TestPublicWordsVary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		least int // different texts among 50 installations
		most  int // installations that share one sentence
	}{
		{"notice-title", 4, 49},
		{"notice", 20, 49},
		{"reply", 20, 49},
		{"suspect", 20, 49},
		{"contact", 6, 49},
		{"public-help", 3, 50}, // it names the commands, and stands where a maintainer asked for it
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, d := range situations() {
				texts, shared := map[string]bool{}, map[string]int{}
				for _, secret := range secrets(50) {
					text := words(secret).Text(c.name, d)
					if again := words(secret).Text(c.name, d); again != text {
						t.Fatalf("one installation says it in two ways:\n%s\n%s", text, again)
					}
					if strings.Contains(strings.ToLower(text), "heed") {
						t.Fatalf("it carries our name:\n%s", text)
					}
					texts[text] = true
					for _, s := range slices.Compact(slices.Sorted(slices.Values(sentences(text)))) {
						shared[s]++
					}
				}
				if len(texts) < c.least {
					t.Errorf("%d different texts for 50 installations, want %d: %+v", len(texts), c.least, d)
				}
				for s, n := range shared {
					if n > c.most {
						t.Errorf("%d of 50 installations say %q: %+v", n, s, d)
					}
				}
			}
		})
	}
}

func TestCustomWording(t *testing.T) {
	t.Parallel()
	d := full()
	d.Text = "see {reporter}"
	for _, c := range []struct{ name, own, want string }{
		{
			"every placeholder is filled in",
			"{reporter} {repository} {due} {private_link} {contact} {actor} {reason} {until}",
			"rea acme/web 2026-01-07 09:00 UTC https://github.com/acme/web/security/advisories/new security@acme.example mia documented 2026-01-19 09:00 UTC",
		},
		{"what is filled in is not filled in again", "{text}", "see {reporter}"},
		{"a placeholder that we do not know stays, for its author to see", "Dear {name}", "Dear {name}"},
		{"it is no template of Go", "{{.Reporter}} {{pick}}", "{{.Reporter}} {{pick}}"},
		{"line ends of Windows and blank lines are tidied", "\r\nHello\r\n\r\n\r\nYou\r\n\r\n", "Hello\n\nYou"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := wording.Words{Custom: map[string]string{"reply": c.own}}
			if got := w.Text("reply", d); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got, want := w.Text("receipt", d), (wording.Words{}).Text("receipt", d); got != want {
				t.Errorf("the receipt changed, too: %q", got)
			}
		})
	}
	w := wording.Words{Custom: map[string]string{"reply": ""}}
	if w.Text("reply", d) == "" {
		t.Error("an empty text of a project silences us")
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes",
		-3 * time.Hour: "3 hours", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 47*time.Hour + 40*time.Minute: "48 hours",
		48 * time.Hour: "2 days", 14 * 24 * time.Hour: "14 days", 60*time.Hour + 1: "3 days", 1<<63 - 1: "106751 days",
	} {
		if got := wording.Span(d); got != want {
			t.Errorf("Span(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	if got := wording.Time(time.Date(2026, 1, 7, 10, 0, 59, 0, berlin)); got != "2026-01-07 09:00 UTC" {
		t.Errorf("got %q", got)
	}
	if got := wording.Time(time.Time{}); got != "" {
		t.Errorf("no time is written as %q", got)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"plain text", "CWE-79", "`CWE-79`"},
		{"mentions mention nobody", "@acme/security #1", "`@acme/security #1`"},
		{"HTML comments hide nothing", "<!-- heed:case/1:receipt -->", "`<!-- heed:case/1:receipt -->`"},
		{"backticks within", "a `b` c", "``a `b` c``"},
		{"backticks at the ends", "``x`", "``` ``x` ```"},
		{"line ends of every kind", "a\nb\r\nc\rd\u2028e\u0085f", "`a b c d e f`"},
		{"a list, a heading, a fence", "\n\n# a\n- b\n```\n", "```` # a - b ``` ````"},
		{"bytes that are no text", "a\xffb", "`a\uFFFDb`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := wording.Code(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			mustBeOneSpan(t, c.text)
		})
	}
}

// mustBeOneSpan reads a code span as CommonMark does: a run of backticks opens it, and the next run of
// the same length ends it. https://spec.commonmark.org/0.31.2/#code-spans
func mustBeOneSpan(t *testing.T, text string) {
	t.Helper()
	got := wording.Code(text)
	if strings.ContainsAny(got, "\n\r") {
		t.Errorf("%q: a code span of several lines: %q", text, got)
	}
	inside := strings.TrimLeft(got, "`")
	fence := got[:len(got)-len(inside)]
	inside, ok := strings.CutSuffix(inside, fence)
	if !ok || fence == "" || strings.HasSuffix(inside, "`") {
		t.Fatalf("%q: %q does not end as it begins", text, got)
	}
	for run := range strings.FieldsFuncSeq(inside, func(r rune) bool { return r != '`' }) {
		if len(run) == len(fence) {
			t.Errorf("%q: the span %q ends early", text, got)
		}
	}
	if want := strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "); strings.TrimSpace(inside) != want {
		t.Errorf("%q became %q", text, inside)
	}
}

func FuzzCode(f *testing.F) {
	for _, s := range []string{"a", "`", "``` ``", " `a` ", "@mia\n\n<!--", "\xff`\x00", "a\u2029`b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.TrimSpace(s) == "" {
			return // nothing to show
		}
		mustBeOneSpan(t, s)
		block := strings.Split(wording.CodeBlock(s), "\n")
		fence := block[0]
		for _, line := range block[1 : len(block)-1] {
			if strings.HasPrefix(strings.TrimLeft(line, " "), fence) {
				t.Errorf("%q: the block ends early", s)
			}
		}
		if block[len(block)-1] != fence || strings.Trim(fence, "`") != "" || len(fence) < 3 {
			t.Errorf("%q: no code block: %q", s, block)
		}
	})
}

func TestCodeBlock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"lines stay lines", "a\n  b\n", "```\na\n  b\n```"},
		{"a fence within", "```\n@mia\n```", "````\n```\n@mia\n```\n````"},
		{"a longer fence within", "`````", "``````\n`````\n``````"},
		{"bytes that are no text", "\xff", "```\n\uFFFD\n```"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := wording.CodeBlock(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	got := wording.Quote("Hello @rea,\n\n# no heading\n<!-- hidden -->\nend")
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "> ") {
			t.Errorf("a line leaves the quote: %q", line)
		}
	}
	if want := "> Hello @rea,\n> \n> # no heading\n> <!-- hidden -->\n> end"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
