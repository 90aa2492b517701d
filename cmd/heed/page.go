package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// page writes for people who read a terminal of 80 columns.
type page struct {
	out    io.Writer
	colour bool
}

const columns = 80

// ANSI colours, few and calm.
const (
	bold  = "1"
	dim   = "2"
	green = "32"
	cyan  = "36"
)

func (p page) paint(code, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// chapter writes a heading with the demo's time at the right margin.
func (p page) chapter(n int, title string, at time.Time) {
	name, when := fmt.Sprintf("%d  %s", n, title), moment(at)
	gap := max(2, columns-2-utf8.RuneCountInString(name)-utf8.RuneCountInString(when)-2)
	fmt.Fprintf(p.out, "\n\n%s %s %s\n", p.paint(bold, name), p.paint(dim, strings.Repeat("─", gap)), p.paint(cyan, when))
}

// tell writes what happens, as text.
func (p page) tell(text string) {
	fmt.Fprintln(p.out)
	for _, l := range wrap(text, columns-2) {
		fmt.Fprintln(p.out, l)
	}
}

// show writes what somebody sees: who, and the page behind a bar.
func (p page) show(who, text string) {
	fmt.Fprintf(p.out, "\n  %s\n", p.paint(green, who))
	for line := range strings.Lines(strings.TrimSpace(text)) {
		for _, l := range wrap(strings.TrimRight(line, "\n"), columns-6) {
			fmt.Fprintln(p.out, strings.TrimRight("  "+p.paint(dim, "│")+" "+l, " "))
		}
	}
}

// moment is the demo's time as one would say it. Heed itself always names the year and UTC.
func moment(t time.Time) string { return t.UTC().Format("Mon 2 Jan 15:04 UTC") }

// wrap breaks a line at spaces. What continues a list or a table's row stands below its text.
func wrap(text string, width int) []string {
	text = strings.TrimRight(text, " ")
	if utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	indent := len(text) - len(strings.TrimLeft(text, " "))
	if strings.HasPrefix(text[indent:], "- [") {
		indent += len("- [ ] ")
	} else if _, cell, row := strings.Cut(text[indent:], "  "); row {
		if at := len(text) - len(strings.TrimLeft(cell, " ")); at < width/2 {
			indent = at
		}
	}
	line, text := text[:indent], text[indent:]
	var out []string
	bare := true // nothing but the indent is on the line
	for word := range strings.FieldsSeq(text) {
		switch {
		case bare:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			out = append(out, line)
			line = strings.Repeat(" ", indent) + word
		default:
			line += " " + word
		}
		bare = false
	}
	return append(out, line)
}

// reader turns Markdown into what a browser would show of it, as far as our texts use Markdown.
type reader struct{ link, row, rule, many *regexp.Regexp }

func newReader() reader {
	return reader{
		link: regexp.MustCompile(`\[([^\]]+)\]\(https?://[^)]*\)`),
		row:  regexp.MustCompile(`(?m)^\| (.+?) \| (.*?) \|$`),
		rule: regexp.MustCompile(`(?m)^\|[ |-]*\|\n`),
		many: regexp.MustCompile(`\n{3,}`),
	}
}

func (r reader) read(md string) string {
	md = r.rule.ReplaceAllString(md, "")
	md = r.link.ReplaceAllString(md, "$1")
	md = strings.ReplaceAll(md, "**", "")
	md = r.row.ReplaceAllStringFunc(md, func(l string) string {
		cells := r.row.FindStringSubmatch(l)
		return fmt.Sprintf("%-14s%s", cells[1], cells[2])
	})
	return strings.TrimSpace(r.many.ReplaceAllString(md, "\n\n"))
}
