package policy_test

import (
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
)

func TestParseSpan(t *testing.T) {
	t.Parallel()
	flowing := func(d time.Duration) promise.Span { return promise.Span{Duration: d} }
	for in, want := range map[string]promise.Span{
		"3s":              flowing(3 * time.Second),
		"36h":             flowing(36 * time.Hour),
		"1h30m":           flowing(90 * time.Minute),
		"1.5h":            flowing(90 * time.Minute),
		"1.5d":            flowing(36 * time.Hour),
		"90d":             flowing(90 * day),
		"1w2d":            flowing(9 * day),
		"2d12h":           flowing(60 * time.Hour),
		"250ms":           flowing(250 * time.Millisecond),
		"36500d":          flowing(36500 * day),
		"1 business day":  {BusinessDays: 1},
		"3 business days": {BusinessDays: 3},
	} {
		if got, err := policy.ParseSpan(in); err != nil || got != want {
			t.Errorf("ParseSpan(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestParseSpanErrors(t *testing.T) {
	t.Parallel()
	const zero = "a time must be longer than zero"
	for in, want := range map[string]string{
		"":                            `"" is not a time`,
		"0":                           `"0" is not a time`,
		"0s":                          zero,
		"0d0h":                        zero,
		"-48h":                        zero,
		"-1 business days":            zero,
		"0 business days":             zero,
		"48":                          `"48" is not a time`,
		"h":                           `"h" is not a time`,
		"1..5h":                       `"1..5h" is not a time`,
		"48 h":                        `"48 h" is not a time`,
		"+48h":                        `"+48h" is not a time`,
		"1y":                          `"1y" is not a time`,
		"+3 business days":            `"+3 business days" is not a time`,
		" business days":              `" business days" is not a time`,
		"x business days":             `"x business days" is not a time`,
		"36501d":                      `"36501d" is too long`,
		"36500d36500d":                `"36500d36500d" is too long`,
		"99999999999999999999999999w": `"99999999999999999999999999w" is too long`,
		"1001 business days":          `"1001 business days" is too long`,
	} {
		if got, err := policy.ParseSpan(in); err == nil || err.Error() != want {
			t.Errorf("ParseSpan(%q) = %v, %v; want error %s", in, got, err, want)
		}
	}
}
