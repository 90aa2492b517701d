// Package promise computes the clocks of a case: when something that was promised is due, when
// people are to be reminded of it, and when an escalation begins. It knows no clock of its own.
package promise

import "time"

// Kind names what is promised.
type Kind string

// The promises a policy can make.
const (
	Acknowledge Kind = "acknowledge" // a person answers the reporter
	Decide      Kind = "decide"      // accepted or declined
	Update      Kind = "update"      // the reporter hears how it is going
	Fix         Kind = "fix"         // a release with the fix is out
)

// A Span is how long a promise may take: flowing time, or whole business days of a calendar.
// Exactly one of the two is set.
type Span struct {
	Duration     time.Duration
	BusinessDays int
}

// IsZero reports whether nothing is promised.
func (s Span) IsZero() bool { return s.Duration == 0 && s.BusinessDays == 0 }

// A Calendar says which time counts. The zero value is "always": every hour of every day.
type Calendar struct {
	Name     string         // as in the policy; "" or "always" for the zero calendar
	Days     []time.Weekday // working days
	From, To time.Duration  // working hours, since midnight
	Timezone string         // IANA name
	Holidays string         // ISO 3166 country code in lower case ("de"), or ""
}

// Always reports whether all time counts.
func (c Calendar) Always() bool { return len(c.Days) == 0 }

// A Rule is one promise as the policy made it when the case was opened.
type Rule struct {
	Kind        Kind
	Within      Span
	General     Span // Within, when the severity does not make it another one; zero: the same
	OnlySevere  bool // promised for some severities only
	Calendar    Calendar
	Machine     bool          // a machine's receipt keeps it too (counts: any)
	RemindAt    []int         // percent of the way to the due time, ascending
	Repeat      time.Duration // after a breach, every Repeat …
	RepeatLimit int           // … at most this many times
}
