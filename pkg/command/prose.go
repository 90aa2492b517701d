package command

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// markdown reads what GitHub would show, as far as it decides who speaks in a line. It knows no tables, which
// take the square of a text's length.
//
//nolint:gochecknoglobals // immutable
var markdown = goldmark.DefaultParser()

// prose gives the lines of a Markdown text that start with a slash and in which a person speaks to the
// reader: none of code, quotes and HTML comments. A line with such a comment in
// it is none either: a command that was not meant is worse than one that must be written again.
func prose(body string) (out []string) {
	if !mayCommand(body) { // what nearly all texts are, also those of people who mean harm
		return nil
	}
	source := []byte(body)
	said := spoken(markdown.Parse(text.NewReader(source)), source)
	at := 0
	for line := range strings.Lines(body) {
		words := strings.TrimLeft(line, " \t")
		start := at + len(line) - len(words)
		at += len(line)
		if strings.HasPrefix(words, "/") && said[start] && !strings.Contains(words, "<!--") {
			out = append(out, strings.TrimRight(words, " \t\r\n"))
		}
	}
	return out
}

func mayCommand(body string) bool {
	for line := range strings.Lines(body) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "/") {
			return true
		}
	}
	return false
}

// spoken gives where in the source visible words begin.
func spoken(doc ast.Node, source []byte) map[int]bool {
	starts := map[int]bool{}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function never fails
		switch n := n.(type) {
		case *ast.HTMLBlock:
			html := string(n.Lines().Value(source))
			if n.HasClosure() {
				html += string(n.ClosureLine.Value(source))
			}
			if opensComment(html) {
				return ast.WalkStop, nil // a browser hides all that follows
			}
			if entering && shows(n.HTMLBlockType, html) {
				for i := range n.Lines().Len() {
					line := n.Lines().At(i)
					starts[line.TrimLeftSpace(source).Start] = true
				}
			}
			return ast.WalkSkipChildren, nil
		case *ast.Blockquote, *ast.CodeBlock, *ast.FencedCodeBlock, *ast.CodeSpan, *ast.Image, *ast.RawHTML:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			if entering {
				starts[n.Segment.Start] = true
			}
		}
		return ast.WalkContinue, nil
	})
	return starts
}

// shows reports whether the lines of a block of HTML are read as they stand: behind a picture, say. Where it
// holds code or a comment none is.
func shows(kind ast.HTMLBlockType, html string) bool {
	html = strings.ToLower(html)
	return (kind == ast.HTMLBlockType6 || kind == ast.HTMLBlockType7) &&
		!slices.ContainsFunc([]string{"<!--", "<pre", "<code", "<script", "<style", "<textarea"}, func(tag string) bool { return strings.Contains(html, tag) })
}

// opensComment reports whether an HTML comment begins here and does not end.
func opensComment(html string) bool {
	i := strings.LastIndex(html, "<!--")
	return i >= 0 && !strings.Contains(html[i:], "-->")
}
