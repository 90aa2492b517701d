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
		{"decline", "/security decline documented see the docs", Tracker, "decline [documented] see the docs"},
		{"no reason", "/security decline", Tracker, "! `decline` wants: `/security decline REASON [text]`."},
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
