package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/policy"
)

func schema(t *testing.T) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(policy.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The parser knows exactly the keys of the schema: an unknown key is put into every object of the
// schema, and the parser's answer lists what it would have known there.
func TestSchemaKeys(t *testing.T) {
	t.Parallel()
	objects := 0
	var walk func(s map[string]any, wrap func(string) string)
	walk = func(s map[string]any, wrap func(string) string) {
		if items, ok := s["items"].(map[string]any); ok {
			walk(items, func(in string) string { return wrap("[" + in + "]") })
		}
		if entry, ok := s["additionalProperties"].(map[string]any); ok {
			walk(entry, func(in string) string { return wrap("{own: " + in + "}") })
		}
		properties, ok := s["properties"].(map[string]any)
		if !ok {
			return
		}
		objects++
		_, mistakes := policy.Parse("p.yml", []byte(wrap("{xxxxxxxxxxxxxxx: 1}")))
		var known []string
		for _, m := range mistakes {
			if list, ok := strings.CutPrefix(m.Fix, "known here: "); ok {
				known = strings.Split(list, ", ")
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), slices.Sorted(slices.Values(known))); diff != "" {
			t.Errorf("%s (-schema +parser):\n%s", wrap("…"), diff)
		}
		for key, p := range properties {
			property := p.(map[string]any)
			if property["description"] == "" {
				t.Errorf("%s has no description", key)
			}
			walk(property, func(in string) string { return wrap("{" + key + ": " + in + "}") })
		}
	}
	walk(schema(t), func(in string) string { return in })
	if objects < 20 {
		t.Errorf("only %d objects", objects)
	}
}

func TestSchemaAccepts(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for name, file := range map[string][]byte{"full.yml": full(t), "disclosure.yml": config.DisclosureYML} {
		if wrong := validate(s, decode(t, file), name); len(wrong) > 0 {
			t.Error(strings.Join(wrong, "\n"))
		}
	}
}

// What the schema refuses in an editor, the parser refuses as well.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, file := range []string{
		"{}", "version: 2", "version: 1\nmode: akt", "version: 1\nteam: [A B]", "version: 1\napprovals: 0",
		"version: 1\npromises: {decide: {}}", "version: 1\npromises: {decide: {within: 7}}", "version: 1\nx: y",
		"version: 1\npublic_reports: {threshold: {suspect: 0}}", "version: 1\nretain: 3 business days",
		"version: 1\ncalendars: {a b: {days: fri}}", "version: 1\nbundles: [{name: x}]",
	} {
		_, mistakes := policy.Parse("p.yml", []byte(file))
		if wrong := validate(s, decode(t, []byte(file)), ""); len(wrong) == 0 || len(mistakes) == 0 {
			t.Errorf("%s: schema says %q, parser says %v", file, wrong, mistakes)
		}
	}
}

func decode(t *testing.T, file []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v = nil
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// validate knows the few words of JSON Schema that Schema uses, and refuses others.
func validate(s map[string]any, v any, at string) (wrong []string) {
	say := func(ok bool, word string) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %v breaks %s", at, v, word))
		}
	}
	object, _ := v.(map[string]any)
	number, _ := v.(float64)
	str, _ := v.(string)
	for word, arg := range s {
		switch word {
		case "$schema", "title", "description":
		case "const":
			say(v == arg, word)
		case "enum":
			say(slices.Contains(arg.([]any), v), word)
		case "type":
			say(isType(arg.(string), v), word)
		case "pattern":
			say(regexp.MustCompile(arg.(string)).MatchString(str), word)
		case "minimum":
			say(number >= arg.(float64), word)
		case "maximum":
			say(number <= arg.(float64), word)
		case "exclusiveMinimum":
			say(number > arg.(float64), word)
		case "minLength":
			say(len(str) >= int(arg.(float64)), word)
		case "required":
			for _, key := range arg.([]any) {
				_, ok := object[key.(string)]
				say(ok, word)
			}
		case "anyOf":
			say(slices.ContainsFunc(arg.([]any), func(o any) bool { return len(validate(o.(map[string]any), v, at)) == 0 }), word)
		case "items":
			list, _ := v.([]any)
			for _, e := range list {
				wrong = append(wrong, validate(arg.(map[string]any), e, at+"[]")...)
			}
		case "properties", "additionalProperties", "propertyNames":
			wrong = append(wrong, entries(s, word, object, at)...)
		default:
			say(false, "a word this test does not know: "+word)
		}
	}
	return wrong
}

func entries(s map[string]any, word string, object map[string]any, at string) (wrong []string) {
	properties, _ := s["properties"].(map[string]any)
	for key, v := range object {
		p, known := properties[key].(map[string]any)
		others, dict := s["additionalProperties"].(map[string]any)
		switch {
		case word == "propertyNames":
			wrong = append(wrong, validate(s[word].(map[string]any), key, at)...)
		case word == "properties" && known:
			wrong = append(wrong, validate(p, v, at+"."+key)...)
		case word == "additionalProperties" && dict:
			wrong = append(wrong, validate(others, v, at+"."+key)...)
		case word == "additionalProperties" && !known:
			wrong = append(wrong, at+": unknown key "+key)
		}
	}
	return wrong
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == float64(int(v))
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}
