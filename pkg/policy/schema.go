package policy

import "encoding/json"

// Schema is the JSON Schema (draft 2020-12) of the policy file, for editors. It says what the
// parser says about keys, types and forms, because it is made from the parser's own table; checks
// between keys (an unknown calendar, two thresholds in the wrong order) only the parser can do.
func Schema() []byte {
	scratch := Default()
	schema := table(newDraft(&reader{}, &scratch)).schema
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Heed: vulnerability-disclosure policy (.github/disclosure.yml)"
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic("policy: schema of plain maps and strings does not marshal: " + err.Error())
	}
	return append(out, '\n')
}
