package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/release"
)

func facts() release.Facts {
	return release.Facts{Reporter: "@rea", Key: "case/17", Tags: []string{"42.0.1", "42.0.0", "41.0.7"}}
}

func ids(ts []disclosure.Task) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.ID)
	}
	return out
}

func TestChecklist(t *testing.T) {
	t.Parallel()
	owed := policy.Default()
	owed.Release.Branches = []string{"main", "release/3.x"}
	owed.Release.Releases = 2
	owed.Release.Announce = []string{"oss-security@lists.openwall.com", "dev@acme.example"}
	owed.Release.Verify = []string{"github", "osv"}
	unsupported := policy.Default()
	unsupported.Release.Releases = 0
	for _, c := range []struct {
		name   string
		policy policy.Policy
		tags   []string
		want   []string
	}{
		{
			"the built-in policy owes main and the most recent release", policy.Default(), facts().Tags,
			[]string{"fix-main", "backport-42.0.1", "cve", "changelog", "credit", "release", "verify", "announce", "publish", "seen-github"},
		},
		{
			"every branch, supported release, list and scanner of the policy is a task", owed, facts().Tags,
			[]string{
				"fix-main", "fix-release-3.x", "backport-42.0.1", "backport-42.0.0", "cve", "changelog", "credit", "release", "verify",
				"announce-oss-security-lists.openwall.com", "announce-dev-acme.example", "publish", "seen-github", "seen-osv",
			},
		},
		{
			"a project without releases owes no backport", policy.Default(), nil,
			[]string{"fix-main", "cve", "changelog", "credit", "release", "verify", "announce", "publish", "seen-github"},
		},
		{
			"where no release is supported none is backported to", unsupported, facts().Tags,
			[]string{"fix-main", "cve", "changelog", "credit", "release", "verify", "announce", "publish", "seen-github"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			f.Tags = c.tags
			ts := release.Checklist(c.policy, f)
			if diff := cmp.Diff(c.want, ids(ts)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n := release.Open(ts); n != len(ts) {
				t.Errorf("%d of %d tasks are open at the start", n, len(ts))
			}
			md := release.Markdown(ts)
			for _, task := range ts {
				if n := strings.Count(md, "<!-- heed:case/17:task/"+task.ID+" -->"); n != 1 {
					t.Errorf("the mark of %s stands %d times in the list", task.ID, n)
				}
			}
		})
	}
}

func TestTickHappensOnce(t *testing.T) {
	t.Parallel()
	ts := release.Checklist(policy.Default(), facts())
	all := len(ts)
	if !release.Tick(ts, release.TaskCVE, "CVE-2026-1234") || release.Tick(ts, release.TaskCVE, "CVE-2026-9999") {
		t.Error("the first fact ticks, a second one changes nothing")
	}
	if release.Tick(ts, "no such task", "x") {
		t.Error("a task that is not there was ticked")
	}
	if n := release.Open(ts); n != all-1 {
		t.Errorf("%d open, want %d", n, all-1)
	}
	if md := release.Markdown(ts); !strings.Contains(md, "- [x] CVE requested and assigned, before the release — CVE-2026-1234 <!-- heed:case/17:task/cve -->\n") {
		t.Errorf("the fact is not in its line:\n%s", md)
	}
}

func tasks() []disclosure.Task {
	return []disclosure.Task{
		{ID: "cve", Key: "case/1:task/cve", Text: "CVE", Done: true, Note: "CVE-2026-1"},
		{ID: "release", Key: "case/1:task/release", Text: "Release published"},
		{ID: "publish", Key: "case/1:task/publish", Text: "Advisory published", Done: true},
	}
}

func TestApplyKeepsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"a ticked task gets its box and its fact", "- [ ] CVE <!-- heed:case/1:task/cve -->\n", "- [x] CVE — CVE-2026-1 <!-- heed:case/1:task/cve -->\n"},
		{"a reworded line is still found", "* [ ] ask **MITRE** (Sam) <!-- heed:case/1:task/cve -->\n", "* [x] ask **MITRE** (Sam) — CVE-2026-1 <!-- heed:case/1:task/cve -->\n"},
		{"a fact that somebody wrote down already is not repeated", "- [ ] got CVE-2026-1 <!-- heed:case/1:task/cve -->\n", "- [x] got CVE-2026-1 <!-- heed:case/1:task/cve -->\n"},
		{"an open task stays open", "- [ ] Release published <!-- heed:case/1:task/release -->\n", "- [ ] Release published <!-- heed:case/1:task/release -->\n"},
		{"what a person ticked stays ticked", "- [x] Release published <!-- heed:case/1:task/release -->\n", "- [x] Release published <!-- heed:case/1:task/release -->\n"},
		{"lines of people are left alone", "# Plan\n- [ ] tell Debian\n- [ ] CVE\n", "# Plan\n- [ ] tell Debian\n- [ ] CVE\n"},
		{"tasks of other cases are left alone", "- [ ] CVE <!-- heed:case/11:task/cve -->\n", "- [ ] CVE <!-- heed:case/11:task/cve -->\n"},
		{
			"line ends of Windows stay, and so does a missing last one", "intro\r\n- [ ] Advisory published <!-- heed:case/1:task/publish -->\r\n- [ ] mine",
			"intro\r\n- [x] Advisory published <!-- heed:case/1:task/publish -->\r\n- [ ] mine",
		},
		{"nothing is added where nothing is", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := release.Apply(c.body, tasks())
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := release.Apply(got, tasks()); again != got {
				t.Errorf("a second time changes\n%s\nto\n%s", got, again)
			}
		})
	}
}

func TestReadTakesOverTicks(t *testing.T) {
	t.Parallel()
	body := "* [X] CVE, says Sam <!-- heed:case/1:task/cve -->\r\n" +
		"  - [ ] Advisory published <!-- heed:case/1:task/publish -->\n" +
		"- [x] something else\n"
	before := tasks()
	got := release.Read(body, before)
	want := tasks()
	want[0].Done = true  // ticked by hand
	want[1].Done = true  // its line was removed: not owed
	want[2].Done = false // emptied by hand
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tasks(), before); diff != "" {
		t.Errorf("the list that was given changed:\n%s", diff)
	}
	if got := release.Read(release.Markdown(tasks()), tasks()); cmp.Diff(tasks(), got) != "" {
		t.Errorf("reading what we wrote changes it: %v", got)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, tag, version, pattern string
		want                        bool
	}{
		{"the version itself", "1.4.3", "1.4.3", "", true},
		{"with a v in front", "v1.4.3", "1.4.3", "", true},
		{"a version written with a v", "1.4.3", "v1.4.3", "", true},
		{"space around the version", "v1.4.3", " 1.4.3 ", "", true},
		{"the pattern's form", "openssl-3.0.1", "3.0.1", "openssl-*", true},
		{"the pattern's form with an end", "rel-3.0.1-final", "3.0.1", "rel-*-final", true},
		{"the version itself although there is a pattern", "v3.0.1", "3.0.1", "openssl-*", true},
		{"a longer version", "v1.4.31", "1.4.3", "", false},
		{"a candidate of it", "v1.4.3-rc1", "1.4.3", "", false},
		{"something else in front", "cli-1.4.3", "1.4.3", "", false},
		{"a longer version in the pattern", "openssl-3.0.11", "3.0.1", "openssl-*", false},
		{"no version at all matches nothing", "v", "", "", false},
		{"only a v is no version", "v", "v", "v*", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := release.Matches(c.tag, c.version, c.pattern); got != c.want {
				t.Errorf("Matches(%q, %q, %q) = %t", c.tag, c.version, c.pattern, got)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for patched, want := range map[string]string{
		"1.4.3": "1.4.3", ">= 1.4.3": "1.4.3", ">=1.4.3": "1.4.3", "= v2.0": "2.0", "1.4.3, 1.3.9": "1.4.3",
		">= 1.4.3, < 2": "1.4.3", "~> 3.1": "3.1", "": "", " ": "", ">=": "",
	} {
		if got := release.Version(patched); got != want {
			t.Errorf("Version(%q) = %q, want %q", patched, got, want)
		}
	}
}

// A tag or branch is named by whoever can push, and git forbids little.
func TestNamesStayInTheirCodeSpan(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"v1`@acme/everyone`", "v1\n- [x] CVE <!-- heed:case/17:task/cve -->", "<!--", "-->", "v1<img src=x>", "```", "a\r\n\r\n# b", "v1\x00\x1b[31m",
	} {
		p := policy.Default()
		p.Release.Branches, p.Release.Announce, p.Release.Verify = []string{name}, []string{name}, []string{name}
		f := facts()
		f.Tags = []string{name}
		ts := release.Checklist(p, f)
		md := release.Markdown(ts)
		if n := strings.Count(md, "\n"); n != len(ts) || strings.ContainsAny(md, "\r\x00\x1b") {
			t.Errorf("%q makes %d lines of %d tasks:\n%s", name, n, len(ts), md)
		}
		if open, end := strings.Count(md, "<!--"), strings.Count(md, "-->"); open != len(ts) || end != len(ts) || strings.Contains(md, "<img") {
			t.Errorf("%q brings marks or tags along:\n%s", name, md)
		}
		for l := range strings.Lines(md) {
			if n := strings.Count(l, "`"); n != 0 && n != 2 {
				t.Errorf("%q leaves its code span: %s", name, l)
			}
		}
		if diff := cmp.Diff(ts, release.Read(md, ts)); diff != "" {
			t.Errorf("%q ticks something (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever people made of the list: a tick changes boxes and adds facts, and takes nothing away.
func FuzzApply(f *testing.F) {
	f.Add(release.Markdown(tasks()))
	f.Add("- [ ] CVE <!-- heed:case/1:task/cve --> <!-- heed:case/1:task/publish -->\r\n")
	f.Add("<!-- heed:case/1:task/cve -->")
	f.Add("[x] <!-- heed:case/1:task/publish -->\n\n[ ]")
	f.Fuzz(func(t *testing.T, body string) {
		ts := tasks()
		got := release.Apply(body, ts)
		if again := release.Apply(got, ts); again != got {
			t.Errorf("a second time changes\n%q\nto\n%q", got, again)
		}
		if strings.Count(got, "\n") != strings.Count(body, "\n") {
			t.Errorf("lines come or go:\n%q\n%q", body, got)
		}
		strip := func(s string) string {
			return strings.NewReplacer("[ ]", "", "[x]", "", " — CVE-2026-1", "").Replace(s)
		}
		if strip(got) != strip(body) {
			t.Errorf("%q became %q", body, got)
		}
		for l := range strings.Lines(body) {
			if !strings.Contains(l, "<!-- heed:case/1:task/") && !strings.Contains(got, l) {
				t.Errorf("a line of people changed: %q", l)
			}
		}
		release.Read(body, ts)
	})
}
