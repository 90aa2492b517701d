// Package wording holds our words to people: templates that become Markdown, and what makes
// strangers' text harmless inside them. Words in public vary between installations, so that
// nobody can search for the issues that we touched.
package wording

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
)

//go:embed text/*.md
var files embed.FS

// Words are the texts of one installation and policy.
type Words struct {
	Secret []byte            // of the installation: chooses among phrasings
	Custom map[string]string // own texts of the project by name; `{reporter}`-style placeholders
}

// ClockLine is one promise in the status block.
type ClockLine struct{ Name, Text string }

// Data is everything that a text may speak of. A text uses what it needs.
type Data struct {
	Repo, Reporter, Actor, Coordinator, Mentions string
	State, Opened, Now, Due, Until, OpenFor      string
	Again                                        string // when the reporter hears of it next, if nothing is decided then
	Link                                         string // the private route of the repository
	Contact                                      string // the policy's fallback contact
	GHSA, AdvisoryURL, AdvisoryState             string
	IssueURL, ReleaseURL, CaseURL, CVE, Severity string
	Text, Reason, Headline, Detail, Next, Quoted string
	Tag, Checklist, Status, Story, Trouble       string
	PVR, Invited, Hidden, Closed, IsComment      bool
	Told                                         bool // there is a place where maintainers are told
	HistoryOpen, Missed, Published               bool
	Moved, Said                                  []string
	Clocks                                       []ClockLine
}

// parsed holds the templates, parsed on first use. pick is bound anew on every execution.
var parsed = sync.OnceValue(func() *template.Template { //nolint:gochecknoglobals // immutable once built
	t := template.New("").Funcs(template.FuncMap{"pick": func(...string) string { return "" }})
	return template.Must(t.ParseFS(files, "text/*.md"))
})

// Names returns the names of all texts, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, "text")
	if err != nil {
		panic(err) // embedded
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".md"))
	}
	slices.Sort(out)
	return out
}

// Text renders one text. A name that does not exist is a mistake of ours and panics.
func (w Words) Text(name string, d Data) string {
	if own := w.Custom[name]; own != "" {
		return tidy(fill(own, d))
	}
	t := template.Must(parsed().Clone())
	n := 0
	t.Funcs(template.FuncMap{"pick": func(options ...string) string {
		n++
		return options[w.choose(name+"/"+strconv.Itoa(n), len(options))]
	}})
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name+".md", d); err != nil {
		panic(fmt.Sprintf("wording %s: %v", name, err))
	}
	return tidy(b.String())
}

func (w Words) choose(slot string, n int) int {
	h := hmac.New(sha256.New, w.Secret)
	h.Write([]byte(slot))
	return int(binary.BigEndian.Uint32(h.Sum(nil)) % uint32(n)) //nolint:gosec // n is the number of phrasings in a template
}

// fill puts values into a project's own text. Unknown placeholders stay as they are: that is
// seen by whoever wrote the text, and harms nobody.
func fill(own string, d Data) string {
	return strings.NewReplacer(
		"{reporter}", d.Reporter, "{repository}", d.Repo, "{due}", d.Due, "{private_link}", d.Link,
		"{contact}", d.Contact, "{actor}", d.Actor, "{text}", d.Text, "{reason}", d.Reason, "{until}", d.Until,
	).Replace(own)
}

// tidy takes out what conditions of a template leave behind: empty lines in a row, and space at
// the ends.
func tidy(s string) string {
	var out []string
	blank := true
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" && blank {
			continue
		}
		blank = line == ""
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// Time writes a moment as everybody reads it the same way.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// Span writes a duration roughly, as people say it, whatever its sign.
func Span(d time.Duration) string {
	unit := func(n int64, name string) string {
		if n == 1 {
			return "1 " + name
		}
		return strconv.FormatInt(n, 10) + " " + name + "s"
	}
	switch d = d.Abs(); {
	case d < 2*time.Minute:
		return unit(int64(d.Round(time.Second)/time.Second), "second")
	case d < 2*time.Hour:
		return unit(int64(d.Round(time.Minute)/time.Minute), "minute")
	case d < 48*time.Hour:
		return unit(int64(d.Round(time.Hour)/time.Hour), "hour")
	default:
		return unit(int64(d.Round(24*time.Hour)/(24*time.Hour)), "day")
	}
}

// Code makes strangers' text a code span: it mentions nobody, links nowhere and hides nothing.
func Code(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// longestRun is the length of the longest run of backticks.
func longestRun(s string) int {
	most, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// Quote makes a longer text a quote, for texts of ours that a person is to pass on.
func Quote(s string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)) {
		b.WriteString("> " + line)
	}
	return b.String()
}

// CodeBlock makes strangers' lines a code block.
func CodeBlock(s string) string {
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	return fence + "\n" + strings.TrimRight(strings.ToValidUTF8(s, "�"), "\n") + "\n" + fence
}
