// Package disclosure is the vocabulary of the house: cases, effects and the text of reports.
// Its names are those of coordinated vulnerability disclosure. It performs no I/O.
package disclosure

import "log/slog"

const hidden = "[embargoed]"

// Embargoed is text of an unpublished report. However it is printed, logged or marshalled it
// reads "[embargoed]": a careless line of code leaks nothing.
type Embargoed struct{ text string }

// Seal takes text under embargo.
func Seal(text string) Embargoed { return Embargoed{text} }

// Reveal gives the text itself. It is the one way out; every call is a place to review.
func (e Embargoed) Reveal() string { return e.text }

// IsZero reports whether there is no text.
func (e Embargoed) IsZero() bool { return e.text == "" }

// String keeps the text out of everything that is printed.
func (e Embargoed) String() string { return hidden }

// GoString is String for %#v.
func (e Embargoed) GoString() string { return hidden }

// MarshalText keeps the text out of JSON and of everything else that marshals text.
func (e Embargoed) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue keeps the text out of logs.
func (e Embargoed) LogValue() slog.Value { return slog.StringValue(hidden) }

// GobEncode writes the text itself. Gob is how the store writes cases and effects down, and the
// store encrypts what it writes; nothing else in the house may use gob (the linter says so).
func (e Embargoed) GobEncode() ([]byte, error) { return []byte(e.text), nil }

// GobDecode is the inverse of GobEncode.
func (e *Embargoed) GobDecode(b []byte) error { e.text = string(b); return nil }
