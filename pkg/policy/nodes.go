package policy

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// A pair is one entry of a mapping.
type pair struct {
	key   string
	at    ast.Node
	value ast.Node
}

// This file knows the library's tree; the rest of the package knows pairs, items and text. Mistakes
// about the shape of the tree are told here, in a person's words instead of YAML's.

// mapping sees both forms in which the library hands out a mapping.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// pairs lists the entries of a mapping that can be read, and tells the others: given twice, empty,
// or not a mapping at all.
func (r *reader) pairs(name string, n ast.Node, example string) []pair {
	entries, ok := mapping(n)
	if !ok {
		fix := ""
		if example != "" {
			fix = fmt.Sprintf("write it like %s: …", example)
		}
		r.say(n, name+" wants keys of its own, not "+kind(n), fix)
		return nil
	}
	var pairs []pair
	lines := map[string]int{}
	for _, e := range entries {
		switch e.Key.(type) {
		case *ast.MergeKeyNode, *ast.MappingKeyNode:
			continue // told by tame
		}
		key := e.Key.GetToken().Value
		if first, twice := lines[key]; twice {
			r.say(e.Key, quote(key)+" is given twice", fmt.Sprintf("keep one; the other is in line %d", first))
			continue
		}
		lines[key] = e.Key.GetToken().Position.Line
		v := bare(e.Value)
		if _, null := v.(*ast.NullNode); null {
			r.say(e.Key, key+" is empty", "give it a value or leave it out")
			continue
		}
		if v != nil {
			pairs = append(pairs, pair{key, e.Key, v})
		}
	}
	return pairs
}

// each calls visit for every item of a list.
func (r *reader) each(name string, n ast.Node, visit func(ast.Node)) bool {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		fix := "write it like [one, two]"
		if s, scalar := n.(*ast.StringNode); scalar {
			fix = "write [" + clip(s.Value) + "]"
		}
		r.say(n, name+" wants a list, not "+kind(n), fix)
		return false
	}
	for _, e := range seq.Values {
		item := bare(e)
		if _, null := item.(*ast.NullNode); null {
			r.say(item, name+" has an empty item", "leave it out")
			continue
		}
		if item != nil {
			visit(item)
		}
	}
	return true
}

// text reads a scalar that is text by YAML's rules: 1.10 without quotes is a number and would lose
// its zero.
func (r *reader) text(name string, n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		r.say(n, name+" wants text, not "+kind(n), fmt.Sprintf("put it in quotes: %q", clip(n.GetToken().Value)))
	default:
		r.say(n, name+" wants text, not "+kind(n), "")
	}
	return "", false
}

// bare takes off what tame has complained about already, so that the value beneath is read too; nil
// for a reference, whose value is elsewhere.
func bare(n ast.Node) ast.Node {
	for {
		switch outer := n.(type) {
		case *ast.AnchorNode:
			n = outer.Value
		case *ast.TagNode:
			n = outer.Value
		case *ast.AliasNode:
			return nil
		default:
			return n
		}
	}
}

// kind names what stands there in a person's words.
func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	}
	return "this"
}
