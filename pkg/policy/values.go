package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// A value is one thing that can stand in the file: how it is read and how the JSON Schema describes
// it. Both come out of the same constructor, so that they cannot tell different stories.
type value struct {
	schema map[string]any
	read   func(r *reader, name string, n ast.Node)
}

// A field is a key of an object.
type field struct {
	key, doc string
	value    value
	required bool
}

// A set takes a value that was read, with the place it was read at. Constructors hand every good
// value to one: the table binds keys to the fields of a draft as package flag does.
type set[T any] func(v T, at ast.Node)

func to[T any](dst *T) set[T] { return func(v T, _ ast.Node) { *dst = v } }

// A spot is a value that is compared with others later, and where it stands; at is nil if it was
// left out.
type spot[T any] struct {
	v  T
	at ast.Node
}

func mark[T any](dst *spot[T]) set[T] { return func(v T, at ast.Node) { *dst = spot[T]{v, at} } }

// A complaint says what is wrong with a text and how to mend it; the zero value: nothing.
type complaint struct{ message, fix string }

// parsed is text with a meaning.
func parsed[T any](schema map[string]any, parse func(string) (T, complaint), give set[T]) value {
	return value{schema, func(r *reader, name string, n ast.Node) {
		s, ok := r.text(name, n)
		if !ok {
			return
		}
		v, c := parse(s)
		if c.message != "" {
			r.say(n, c.message, c.fix)
			return
		}
		give(v, n)
	}}
}

// text is text of a form.
func text(f form, give set[string]) value {
	return parsed(f.schema(), func(s string) (string, complaint) { return s, f.judge(s) }, give)
}

// choice is one of a few words.
func choice[T ~string](noun string, give set[T], options ...T) value {
	words := make([]string, len(options))
	for i, o := range options {
		words[i] = string(o)
	}
	return parsed(map[string]any{"type": "string", "enum": words}, func(s string) (T, complaint) {
		if slices.Contains(words, s) {
			return T(s), complaint{}
		}
		return "", complaint{"unknown " + noun + " " + quote(s), hint(s, words)}
	}, give)
}

// integer is a whole number within bounds.
func integer(least, most int, give set[int]) value {
	schema := map[string]any{"type": "integer", "minimum": least, "maximum": most}
	return value{schema, func(r *reader, name string, n ast.Node) {
		number, ok := n.(*ast.IntegerNode)
		if !ok {
			r.say(n, name+" wants a whole number, not "+kind(n), "write it like "+strconv.Itoa(max(least, 2)))
			return
		}
		// The library gives int64 or uint64, by sign. What fits neither bound is told the same way.
		v, err := strconv.Atoi(fmt.Sprint(number.Value))
		if err != nil || v < least || v > most {
			r.say(n, fmt.Sprintf("%s must be from %d to %d", name, least, most), "")
			return
		}
		give(v, n)
	}}
}

// probability is a number above 0 and at most 1. Zero is refused because it would redirect every
// text that anybody writes.
func probability(give set[float64]) value {
	schema := map[string]any{"type": "number", "exclusiveMinimum": 0, "maximum": 1}
	return value{schema, func(r *reader, name string, n ast.Node) {
		var v float64
		switch number := n.(type) {
		case *ast.FloatNode:
			v = number.Value
		case *ast.IntegerNode:
			v, _ = strconv.ParseFloat(number.Token.Value, 64)
		default:
			r.say(n, name+" wants a number, not "+kind(n), "write it like 0.95")
			return
		}
		if !(v > 0 && v <= 1) {
			r.say(n, name+" must be above 0 and at most 1", "write it like 0.95")
			return
		}
		give(v, n)
	}}
}

// list is a list of values of one kind, none of them twice: a measure taken twice, a person who is
// assigned every other case, are slips. A given list replaces the default, also when it is empty.
func list[T comparable](item func(set[T]) value, give set[[]T]) value {
	schema := map[string]any{"type": "array", "items": item(nil).schema}
	return value{schema, func(r *reader, name string, n ast.Node) {
		var got []T
		seen := map[T]bool{}
		one := item(func(v T, at ast.Node) {
			if seen[v] {
				r.say(at, quote(fmt.Sprint(v))+" stands in "+name+" twice", "keep one")
				return
			}
			seen[v] = true
			got = append(got, v)
		})
		if r.each(name, n, func(e ast.Node) { one.read(r, name, e) }) {
			give(got, n)
		}
	}}
}

// oneOrMany is a list, or its only item without the brackets.
func oneOrMany[T comparable](item func(set[T]) value, give set[[]T]) value {
	many := list(item, give)
	single := item(func(v T, at ast.Node) { give([]T{v}, at) })
	return value{map[string]any{"anyOf": []any{single.schema, many.schema}}, func(r *reader, name string, n ast.Node) {
		if _, ok := n.(*ast.StringNode); ok {
			single.read(r, name, n)
			return
		}
		many.read(r, name, n)
	}}
}

// records is a list of objects. An entry is made for each, with what is done after it was read.
func records(entry func() (value, func())) value {
	v, _ := entry()
	return value{map[string]any{"type": "array", "items": v.schema}, func(r *reader, name string, n ast.Node) {
		r.each(name, n, func(e ast.Node) {
			one, done := entry()
			one.read(r, name+" entry", e)
			done()
		})
	}}
}

// dict is an object whose keys the project chooses.
func dict(key form, entry func(name string) (value, func())) value {
	v, _ := entry("")
	schema := map[string]any{"type": "object", "propertyNames": key.schema(), "additionalProperties": v.schema}
	return value{schema, func(r *reader, name string, n ast.Node) {
		for _, p := range r.pairs(name, n, "") {
			if c := key.judge(p.key); c.message != "" {
				r.say(p.at, c.message, c.fix)
				continue
			}
			one, done := entry(p.key)
			one.read(r, p.key, p.value)
			done()
		}
	}}
}

// object is a mapping of known keys. Unknown ones are mistakes, not extensions: a misspelt promise
// that is skipped in silence is one that nobody keeps.
func object(fields ...field) value {
	properties, required := map[string]any{}, []string{}
	known := make([]string, len(fields))
	for i, f := range fields {
		described := maps.Clone(f.value.schema)
		described["description"] = f.doc
		properties[f.key] = described
		known[i] = f.key
		if f.required {
			required = append(required, f.key)
		}
	}
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return value{schema, func(r *reader, name string, n ast.Node) {
		before := len(r.mistakes)
		given := map[string]bool{}
		for _, p := range r.pairs(name, n, known[0]) {
			i := slices.Index(known, p.key)
			if i < 0 {
				r.say(p.at, "unknown key "+quote(p.key), hint(p.key, known))
				continue
			}
			given[p.key] = true
			fields[i].value.read(r, p.key, p.value)
		}
		if _, isObject := mapping(n); !isObject {
			return // told by pairs
		}
		for _, key := range required {
			// A misspelt key is told once, not once more as a missing one.
			if !given[key] && !r.misspelt(before, key) {
				r.say(n, key+" is missing", missingFix(key))
			}
		}
	}}
}

// misspelt reports whether a mistake noted since then already offers the key.
func (r *reader) misspelt(since int, key string) bool {
	return slices.ContainsFunc(r.mistakes[since:], func(m Mistake) bool {
		return m.Fix == didYouMean(key) || m.Message == key+" is empty"
	})
}

func missingFix(key string) string {
	if key == "version" {
		return startFix
	}
	return "add " + key + ":"
}
