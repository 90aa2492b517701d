package command

import (
	"strings"
	"testing"
)

func show(cs []Command) string {
	var out []string
	for _, c := range cs {
		switch {
		case c.Err != "":
			out = append(out, "! "+c.Err)
		default:
			out = append(out, strings.TrimSpace(c.Word.Name+" ["+strings.Join(c.Args, ",")+"] "+c.Text))
		}
	}
	return strings.Join(out, "; ")
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		place      Place
		want       string
	}{
		{"plain", "/security ack", Advisory, "ack []"},
		{"alias, case, text", "Hello\n/SEC Ack thank you, looking", Advisory, "ack [] thank you, looking"},
		{"several", "/sec ack\n/sec accept\r\n", Tracker, "ack []; accept []"},
		{"alone in the tracker", "/ack", Tracker, "ack []"},
		{"alone elsewhere", "/ack", Advisory, ""},
		{"nearly", "/acept", Tracker, "! There is no such command. Did you mean `/security accept`?"},
		{"nearly, elsewhere", "/acept", Advisory, ""},
		{"somebody else's", "/assign me\n/lgtm", Tracker, "assign [me]"},
		{"a path", "/usr/lib/x is broken", Tracker, ""},
		{"longer word", "/securityack", Advisory, ""},
		{"in the middle of a line", "please /security ack", Advisory, ""},
		{"three spaces", "   /security ack", Advisory, "ack []"},
		{"indented code", "    /security ack", Advisory, ""},
		{"tab", "\t/security ack", Advisory, ""},
		{"fence", "```\n/security ack\n```", Advisory, ""},
		{"tilde fence", "~~~sh\n/security ack\n~~~\n/security accept", Advisory, "accept []"},
		{"longer fence", "````\n```\n/security ack\n````", Advisory, ""},
		{"open fence", "```\n/security ack", Advisory, ""},
		{"quote", "> /security ack", Advisory, ""},
		{"lazy quote", "> they wrote\n/security ack", Advisory, ""},
		{"after a quote", "> they wrote\n\n/security ack", Advisory, "ack []"},
		{"comment", "<!-- /security ack -->", Advisory, ""},
		{"long comment", "<!--\n/security ack\n-->\n/security accept", Advisory, "accept []"},
		{"comment opened again", "<!-- a\n--> <!-- b\n/security ack\n-->", Advisory, ""},
		{"fence in a list", "- ```\n  /decline out-of-scope\n  ```\n1. ~~~\n   /ack\n   ~~~", Tracker, ""},
		{"in a list", "- I have seen it\n  /ack\n- and more", Tracker, "ack []"},
		{"pre", "<pre>\n/decline out-of-scope\n\n/ack\n</pre>\n\n/accept", Tracker, "accept []"},
		{"span over lines", "Write `foo\n/decline out-of-scope\nbar`\n/ack", Tracker, "ack []"},
		{"comment in a paragraph", "para\n    <!-- hidden\n/decline out-of-scope\n-->", Tracker, ""},
		{"link title", "[a](b \"\n/decline out-of-scope\n\")", Tracker, ""},
		{"alternative text", "![a\n/decline out-of-scope\nb](c)", Tracker, ""},
		{"under a table", "| a | b |\n|---|---|\n| 1 | 2 |\n/security ack", Tracker, "ack []"},
		{"under a picture", "I see it too:\n\n<img width=\"12\" src=\"https://github.com/x\" />\n/ack", Tracker, "ack []"},
		{"details", "<details><summary>log</summary>\nx\n</details>\n/ack", Tracker, "ack []"},
		{"code in HTML", "<div><pre>\n/decline out-of-scope\n</pre></div>", Tracker, ""},
		{"windows", "Seen.\r\n\r\n/ack\r\n/accept\r\n", Tracker, "ack []; accept []"},
		{"no slip of the pen", "/data\n/rate\n/pack\n/act", Tracker, ""},
		{"after a word in bold", "/ack **thank you**, looking", Tracker, "ack [] **thank you**, looking"},
		{"decline", "/security decline documented see the docs", Tracker, "decline [documented] see the docs"},
		{"no reason", "/security decline", Tracker, "! `decline` wants: `/security decline REASON [text]`. The reasons are `cannot-reproduce`, `documented`, `not-a-vulnerability`, `out-of-scope`, `unsupported-version`."},
		{"too much", "/security accept now", Tracker, "! `accept` takes nothing more: `/security accept`."},
		{"near", "/security acept", Tracker, "! There is no such command. Did you mean `/security accept`?"},
		{"far", "/security frobnicate", Tracker, "! There is no such command. `/security help` lists them."},
		{"nothing", "/security", Tracker, "! Which command? `/security help` lists them."},
		{"later", "/security publish", Tracker, "! `publish` is not available yet."},
		{"public", "/security redirect", Public, "redirect []"},
		{"not in public", "/security ack", Public, "! `ack` is not used in public; please use it in the tracker or on the advisory."},
		{"nearest in public", "/security acept", Public, "! There is no such command. `/security help` lists them."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := show(Parse(tt.body, tt.place)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHelpShowsEveryWorkingCommand(t *testing.T) {
	t.Parallel()
	help := Help(Tracker)
	for _, w := range Words() {
		if got := strings.Contains(help, "/security "+w.Name); got == w.Later {
			t.Errorf("%s: in the help %v, built later %v", w.Name, got, w.Later)
		}
	}
}

// Deep nesting is what parsers of Markdown die of.
func BenchmarkDeep(b *testing.B) {
	for name, body := range map[string]string{
		"quotes": strings.Repeat(">", 65000) + "\n/ack", "brackets": strings.Repeat("[", 65000) + "\n/ack", "stars": strings.Repeat("*a_", 21000) + "\n/ack",
		"lists": strings.Repeat("- ", 32000) + "\n/ack", "ticks": strings.Repeat("`a``", 16000) + "\n/ack", "table": strings.Repeat("a|", 2000) + "\n" + strings.Repeat("-|", 2000) + "\n" + strings.Repeat("a\n", 25000) + "\n/ack", "comments": strings.Repeat("<!--", 16000) + "\n/ack",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Parse(body, Tracker)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/security ack\n```\n/sec x")
	f.Add("<!--\n> /sec\n~~~")
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range []Place{Tracker, Advisory, Public} {
			if cs := Parse(body, p); len(cs) > most {
				t.Errorf("%d commands", len(cs))
			}
		}
	})
}
