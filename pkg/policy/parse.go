package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on a file. Anybody who can push to a repository writes these bytes, and the YAML parser
// recurses per level and takes quadratic time in the number of keys: a real policy has some 400
// tokens in 3 levels, the bounds are far above that and far below what hurts.
const (
	maxBytes    = 256 << 10
	maxLines    = 4000 // the library takes the square of the empty ones in a text
	maxTokens   = 30_000
	maxNesting  = 32
	maxMistakes = 50
)

// Parse reads a policy file. The name is only repeated in the mistakes. All mistakes are found in
// one pass, in the order of the file; more than 50 end in one line that counts the rest.
//
// The policy is in force only if there are no mistakes. With mistakes it is what could be
// understood, the built-in policy standing in for the rest: good for showing, not for acting.
func Parse(file string, data []byte) (Policy, []Mistake) {
	policy := Default()
	r := &reader{file: file}
	if root, ok := r.open(data); ok {
		d := newDraft(r, &policy)
		if root == nil { // only comments, or nothing at all
			r.say(nil, "version is missing", startFix)
		} else {
			table(d).read(r, "the file", root)
			d.finish()
		}
	}
	return policy, r.sorted()
}

const startFix = "start the file with: version: 1"

// String is the mistake as compilers print theirs, so that editors can jump to it.
func (m Mistake) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Message)
	if m.Fix != "" {
		s += " (" + m.Fix + ")"
	}
	return s
}

// A reader collects what is wrong while the tree of a file is read.
type reader struct {
	file     string
	mistakes []Mistake
}

// say notes a mistake at a node; without a node, at the top of the file.
func (r *reader) say(n ast.Node, message, fix string) {
	if n == nil {
		r.at(nil, message, fix)
		return
	}
	r.at(place(n), message, fix)
}

func (r *reader) at(tk *token.Token, message, fix string) {
	m := Mistake{File: r.file, Line: 1, Column: 1, Message: oneLine(message), Fix: oneLine(fix)}
	if tk != nil && tk.Position != nil {
		m.Line, m.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
	}
	r.mistakes = append(r.mistakes, m)
}

// oneLine keeps a mistake on the line that editors and the tracker's list give it: values of several
// lines are repeated in it.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, s)
}

// place is where a node begins for a person. The library names a block mapping by its first colon.
func place(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// sorted puts the mistakes into the order of the file (checks between keys come last when they are
// found) and cuts the list: whoever faces a thousand of them reads a few and looks for the one cause.
func (r *reader) sorted() []Mistake {
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	if len(r.mistakes) <= maxMistakes {
		return r.mistakes
	}
	rest := r.mistakes[maxMistakes]
	rest.Message, rest.Fix = fmt.Sprintf("and %d more", len(r.mistakes)-maxMistakes), ""
	return append(slices.Clip(r.mistakes[:maxMistakes]), rest)
}

// open turns bytes into the one tree of a file; nil and true for a file that says nothing. What is
// wrong with the file as a whole is told here and stops the reading.
func (r *reader) open(data []byte) (root ast.Node, ok bool) {
	if len(data) > maxBytes {
		r.say(nil, fmt.Sprintf("the file has %d KiB, at most %d are read", len(data)>>10, maxBytes>>10), "shorten it")
		return nil, false
	}
	if n := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")); n > maxLines {
		r.say(nil, fmt.Sprintf("the file has %d lines, at most %d are read", n, maxLines), "shorten it")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !r.utf8(data) {
		return nil, false
	}
	// The library is fed by strangers. A panic in it must not take the App down with it: it becomes
	// a mistake like any other syntax error.
	defer func() {
		if recover() != nil {
			r.say(nil, "the file cannot be read as YAML", "")
			root, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if !r.tame(tokens) {
		return nil, false
	}
	// Duplicate keys are let through: the library would stop at the first one.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	return r.single(file)
}

// utf8 reports whether the file is text, and where it is not.
func (r *reader) utf8(data []byte) bool {
	line, column := 1, 1
	for rest := data; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			at := &token.Token{Position: &token.Position{Line: line, Column: column}}
			r.at(at, "this is not UTF-8 text", "save the file as UTF-8")
			return false
		case c == '\n':
			line, column = line+1, 1
		default:
			column++
		}
		rest = rest[size:]
	}
	return true
}

// tame looks at the words of the file before the tree is built, and refuses what makes trees
// explode: depth, sheer number, and references that multiply.
func (r *reader) tame(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		r.at(tokens[maxTokens], "the file is too long", fmt.Sprintf("at most %d words and signs are read", maxTokens))
		return false
	}
	reference := complaint{"anchors, aliases and merge keys are not used here", "write the value out"}
	extra := complaint{"tags and directives are not used here", "leave it out"}
	refused := map[token.Type]complaint{
		token.AnchorType: reference, token.AliasType: reference, token.MergeKeyType: reference,
		token.TagType: extra, token.DirectiveType: extra,
		token.MappingKeyType: {`"?" keys are not used here`, "write it as key: value"},
	}
	levels := map[token.Type]int{
		token.SequenceStartType: 1, token.MappingStartType: 1,
		token.SequenceEndType: -1, token.MappingEndType: -1,
	}
	// Brackets nest anywhere, dashes only on one line: each further line of a block costs one more
	// space of indentation, so that the size of the file bounds those.
	depth, dashes, line := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, dashes = tk.Position.Line, 0
		}
		if c, ok := refused[tk.Type]; ok {
			r.at(tk, c.message, c.fix)
		}
		depth += levels[tk.Type]
		if tk.Type == token.SequenceEntryType {
			dashes++
		}
		if depth > maxNesting || dashes > maxNesting {
			r.at(tk, "the file is nested too deeply", "")
			return false
		}
	}
	return true
}

// syntax tells the library's complaint without its excerpt of the source.
func (r *reader) syntax(err error) {
	e, ok := errors.AsType[*yaml.SyntaxError](err)
	if !ok {
		r.say(nil, "the file cannot be read as YAML", "")
		return
	}
	fix := ""
	switch {
	case e.Token == nil:
	case bytes.Contains([]byte(e.Message), []byte("\t")):
		e.Message, fix = "a tab cannot indent YAML", "indent with spaces"
	case e.Message == "'@' is a reserved character" || e.Message == "'`' is a reserved character":
		fix = "put the text in quotes"
	}
	r.at(e.Token, "not YAML: "+e.Message, fix)
}

// single takes the one document of a file. A second one would be ignored by most tools, and a policy
// that somebody believes to be in force must not be ignored.
func (r *reader) single(file *ast.File) (ast.Node, bool) {
	var root ast.Node
	for i, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive {
			return nil, false // told by tame
		}
		if i > 0 {
			r.at(doc.Start, "a second document begins here", "keep one document in the file")
			return root, root != nil
		}
		root = doc.Body
	}
	if _, empty := root.(*ast.NullNode); empty {
		root = nil
	}
	return root, true
}
