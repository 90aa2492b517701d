package hubsim

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// field is one selection of a query.
type field struct {
	alias, name string
	args        obj
	on          string // inline fragment: only on this type
	spread      string // named fragment
	sub         []field
}

// query is a parsed document: the first operation and the fragments.
type gqlDoc struct {
	mutation  bool
	fields    []field
	fragments map[string]field
}

type gqlParser struct {
	toks []string
	at   int
	vars obj
}

// isMutation looks at a request body without parsing all of it.
func isMutation(raw []byte) bool {
	var in struct{ Query string }
	_ = json.Unmarshal(raw, &in) // nonsense is no mutation
	return strings.HasPrefix(strings.TrimSpace(in.Query), "mutation")
}

// parseGraphQL understands what clients send: operations, variables, aliases,
// arguments, fragments. Types of variables and directives are skipped.
func parseGraphQL(text string, vars obj) (d gqlDoc, err error) {
	defer func() { // a parser without error paths; its input is a test's
		if p := recover(); p != nil {
			err = fmt.Errorf("parse error: %v", p)
		}
	}()
	token := regexp.MustCompile(`"""(?s:.*?)"""|"(?:[^"\\]|\\.)*"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][0-9.eE+-]*|#[^\n]*|[{}()\[\]:=!$@|&]`)
	p := &gqlParser{vars: vars}
	for _, t := range token.FindAllString(text, -1) {
		if t[0] != '#' {
			p.toks = append(p.toks, t)
		}
	}
	d.fragments = map[string]field{}
	for p.at < len(p.toks) {
		switch p.peek() {
		case "fragment":
			p.next()
			name := p.next()
			p.want("on")
			on := p.next()
			d.fragments[name] = field{on: on, sub: p.selection()}
		case "{":
			d.fields = p.selection()
		case "query", "mutation":
			d.mutation = p.next() == "mutation"
			for p.peek() != "{" { // name and variable definitions
				if p.next() == "(" {
					p.definitions()
				}
			}
			d.fields = p.selection()
		default:
			panic("unexpected " + p.peek())
		}
	}
	return d, nil
}

func (p *gqlParser) peek() string { return p.toks[p.at] }

func (p *gqlParser) next() string {
	p.at++
	return p.toks[p.at-1]
}

func (p *gqlParser) want(t string) {
	if got := p.next(); got != t {
		panic(fmt.Sprintf("expected %s, got %s", t, got))
	}
}

// definitions reads "$n: Int = 10": only the default matters.
func (p *gqlParser) definitions() {
	for p.peek() != ")" {
		if p.next() != "$" {
			continue
		}
		name := p.next()
		p.want(":")
		for p.peek() != "$" && p.peek() != ")" {
			if p.next() == "=" {
				if v := p.value(); p.vars[name] == nil {
					p.vars[name] = v
				}
			}
		}
	}
	p.next()
}

func (p *gqlParser) selection() []field {
	var out []field
	p.want("{")
	for p.peek() != "}" {
		out = append(out, p.field())
	}
	p.next()
	return out
}

func (p *gqlParser) field() field {
	var f field
	if p.peek() == "..." {
		p.next()
		switch {
		case p.peek() == "on":
			p.next()
			f.on = p.next()
			f.sub = p.selection()
		case p.peek() == "{":
			f.on = "*"
			f.sub = p.selection()
		default:
			f.spread = p.next()
		}
		return f
	}
	f.name = p.next()
	f.alias = f.name
	if p.peek() == ":" {
		p.next()
		f.name = p.next()
	}
	f.args = obj{}
	if p.peek() == "(" {
		p.next()
		for p.peek() != ")" {
			k := p.next()
			p.want(":")
			f.args[k] = p.value()
		}
		p.next()
	}
	for p.peek() == "@" { // directives
		p.next()
		p.next()
		if p.peek() == "(" {
			for p.next() != ")" {
				continue
			}
		}
	}
	if p.peek() == "{" {
		f.sub = p.selection()
	}
	return f
}

func (p *gqlParser) value() any {
	switch t := p.next(); {
	case t == "$":
		return p.vars[p.next()]
	case t == "[":
		var out []any
		for p.peek() != "]" {
			out = append(out, p.value())
		}
		p.next()
		return out
	case t == "{":
		out := obj{}
		for p.peek() != "}" {
			k := p.next()
			p.want(":")
			out[k] = p.value()
		}
		p.next()
		return out
	case strings.HasPrefix(t, `"""`):
		return strings.Trim(t, `"`)
	case t[0] == '"':
		var s string
		if err := json.Unmarshal([]byte(t), &s); err != nil {
			panic(err)
		}
		return s
	case t == "true", t == "false":
		return t == "true"
	case t == "null":
		return nil
	default:
		if n, err := strconv.ParseFloat(t, 64); err == nil {
			return n
		}
		return t // an enum value
	}
}
