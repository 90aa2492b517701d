// Package release knows what an accepted report still owes: supported versions, the checklist,
// and which facts tick it. It is pure.
package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/policy"
)

// Ids of the tasks that facts can tick.
const (
	TaskCVE     = "cve"
	TaskCredit  = "credit"
	TaskRelease = "release"
	TaskPublish = "publish"
)

// Facts are what a checklist is filled from.
type Facts struct {
	Reporter string
	Tags     []string // tags of the full releases, newest first
	Key      string   // of the case: "case/17"
}

// Checklist is the default list: what the security releases of pyca/cryptography do, step by
// step, for the branches and releases that the policy supports.
func Checklist(p policy.Policy, f Facts) []disclosure.Task {
	var ts []disclosure.Task
	seen := map[string]int{}
	add := func(id, format string, args ...any) {
		if seen[id]++; seen[id] > 1 { // two branches whose names differ in what an id cannot hold
			id = fmt.Sprintf("%s-%d", id, seen[id])
		}
		ts = append(ts, disclosure.Task{ID: id, Key: f.Key + ":task/" + id, Text: fmt.Sprintf(format, args...)})
	}
	for _, b := range p.Release.Branches {
		add("fix-"+slug(b), "Fix on branch `%s`", clean(b))
	}
	for i, tag := range f.Tags {
		if i == p.Release.Releases {
			break
		}
		add("backport-"+slug(tag), "Fix for the supported release `%s` (backport, or a new release from the branch above)", clean(tag))
	}
	add(TaskCVE, "CVE requested and assigned, before the release")
	add("changelog", "Changelog entry, with the CVE and the credit")
	add(TaskCredit, "Credit to %s agreed and accepted", f.Reporter)
	add(TaskRelease, "Release published")
	add("verify", "Artefacts verified: what users install is the fixed version")
	for _, to := range p.Release.Announce {
		add("announce-"+slug(to), "Announcement sent to %s", clean(to))
	}
	if len(p.Release.Announce) == 0 {
		add("announce", "Announcement sent")
	}
	add(TaskPublish, "Advisory published, with affected and patched versions")
	for _, v := range p.Release.Verify {
		add("seen-"+slug(v), "Seen by scanners: %s", clean(v))
	}
	return ts
}

// Tick marks a task as done with the fact that did it. It reports whether anything changed.
func Tick(ts []disclosure.Task, id, note string) bool {
	for i := range ts {
		if ts[i].ID == id && !ts[i].Done {
			ts[i].Done, ts[i].Note = true, note
			return true
		}
	}
	return false
}

// Open counts what is not ticked.
func Open(ts []disclosure.Task) int {
	n := 0
	for _, t := range ts {
		if !t.Done {
			n++
		}
	}
	return n
}

// Markdown writes the list. The key of each task follows it in a hidden comment, so that the line
// is found again however people reword it.
func Markdown(ts []disclosure.Task) string {
	var b strings.Builder
	for _, t := range ts {
		b.WriteString(line(t) + "\n")
	}
	return b.String()
}

func line(t disclosure.Task) string {
	box := "[ ]"
	if t.Done {
		box = "[x]"
	}
	s := "- " + box + " " + t.Text
	if t.Note != "" {
		s += " — " + t.Note
	}
	return s + " " + taskMark(t)
}

func taskMark(t disclosure.Task) string { return "<!-- heed:" + t.Key + " -->" }

// Apply ticks boxes in a list that people may have edited: only the box of a task changes, and
// the fact is added to its line. Everything else stays as they wrote it.
func Apply(body string, ts []disclosure.Task) string {
	var b strings.Builder
	for l := range strings.Lines(body) {
		for _, t := range ts {
			if !t.Done || !strings.Contains(l, taskMark(t)) {
				continue
			}
			if at := strings.Index(l, "[ ]"); at >= 0 && strings.Trim(l[:at], listMarks) == "" {
				l = l[:at] + "[x]" + l[at+3:]
			}
			if t.Note != "" && !strings.Contains(l, t.Note) {
				l = strings.Replace(l, " "+taskMark(t), " — "+t.Note+" "+taskMark(t), 1)
			}
		}
		b.WriteString(l)
	}
	return b.String()
}

// listMarks are what may stand before a box: the marks of Markdown's lists and quotes.
const listMarks = " \t-*+>0123456789.)"

// Read takes over which boxes people ticked or emptied. A task whose line was removed counts as
// done: somebody decided that it is not owed. What a fact has ticked stays ticked.
func Read(body string, ts []disclosure.Task) []disclosure.Task {
	out := slices.Clone(ts)
	for i := range out {
		if out[i].Done && out[i].Note != "" {
			continue
		}
		found := false
		for l := range strings.Lines(body) {
			if !strings.Contains(l, taskMark(out[i])) {
				continue
			}
			found = true
			l = strings.ToLower(strings.TrimLeft(l, listMarks))
			out[i].Done = strings.HasPrefix(l, "[x]")
		}
		out[i].Done = out[i].Done || !found
	}
	return out
}

// Matches reports whether a release tag stands for a version: the version itself, with or without
// a leading "v", or the policy's tag pattern with the version in place of its star.
func Matches(tag, version, pattern string) bool {
	version = strings.TrimPrefix(strings.TrimSpace(version), "v")
	if version == "" {
		return false
	}
	if pattern != "" && strings.Replace(pattern, "*", version, 1) == tag {
		return true
	}
	return strings.TrimPrefix(tag, "v") == version
}

// Version takes the first version out of an advisory's "patched versions", such as ">= 1.4.3".
func Version(patched string) string {
	first, _, _ := strings.Cut(patched, ",")
	return strings.TrimPrefix(strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(first), "<>=~^ ")), "v")
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '-'
		}
	}, s), "-")
}

// clean keeps names from GitHub and the policy from ending the code span they stand in.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '`' || r == '<' || r == '>' || r < ' ' {
			return -1
		}
		return r
	}, s)
}
