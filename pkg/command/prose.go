package command

import "strings"

// prose gives the lines of a Markdown text in which a person speaks: without fenced and indented
// code, quotes and HTML comments. CommonMark's rules are kept as far as they decide whether a
// line is code; where in doubt a line is not prose, since a command that was not meant is worse
// than one that must be written again. Source: CommonMark 0.31, sections 4.4, 4.5, 4.6 and 5.1.
func prose(body string) []string {
	var out []string
	var fence string
	comment, quoted := false, false
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		indent, text := indentation(line)
		switch {
		case comment:
			_, rest, closed := strings.Cut(line, "-->")
			comment = !closed || opensComment(rest)
		case fence != "":
			if indent < 4 && closes(text, fence) {
				fence = ""
			}
		case indent >= 4:
		case fenceOf(text) != "":
			fence, quoted = fenceOf(text), false
		case strings.HasPrefix(text, ">"):
			quoted = true
		case text == "":
			quoted = false
		case opensComment(text):
			comment = true
		case quoted || strings.Contains(text, "<!--"): // a lazy continuation of the quote above
		default:
			out = append(out, strings.TrimRight(text, " \t"))
		}
	}
	return out
}

// indentation counts leading columns; a tab goes to the next multiple of four.
func indentation(line string) (int, string) {
	n := 0
	for i := range len(line) {
		switch line[i] {
		case ' ':
			n++
		case '\t':
			n += 4 - n%4
		default:
			return n, line[i:]
		}
	}
	return n, ""
}

// fenceOf returns the run of at least three ` or ~ that opens a code fence, or "".
func fenceOf(text string) string {
	for _, c := range []string{"`", "~"} {
		run := text[:len(text)-len(strings.TrimLeft(text, c))]
		if len(run) >= 3 && !(c == "`" && strings.Contains(text[len(run):], "`")) {
			return run
		}
	}
	return ""
}

func closes(text, fence string) bool {
	text = strings.TrimRight(text, " \t")
	return len(text) >= len(fence) && strings.Trim(text, fence[:1]) == ""
}

// opensComment reports whether an HTML comment starts here and does not end on the same line.
func opensComment(text string) bool {
	i := strings.LastIndex(text, "<!--")
	return i >= 0 && !strings.Contains(text[i:], "-->")
}
