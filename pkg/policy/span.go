package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/heed-app/heed/pkg/promise"
)

// maxSpan keeps sums of durations far from overflow.
const maxSpan = 100 * 365 * 24 * time.Hour

const (
	timePattern = `^([0-9.]+(ns|us|µs|μs|ms|s|m|h|d|w))+$`
	spanPattern = `^(([0-9.]+(ns|us|µs|μs|ms|s|m|h|d|w))+|[0-9]+ business days?)$`
)

// ParseSpan reads a time as people write it in the policy and in commands: Go's syntax plus d and w
// ("36h", "90d", "1w2d"), or "3 business days". A day is 24 hours. Zero, negative times and more
// than 100 years are errors; the error says what is wrong in words fit for a mistake.
func ParseSpan(s string) (promise.Span, error) {
	if count, ok := strings.CutSuffix(strings.TrimSuffix(s, "s"), " business day"); ok {
		days, err := strconv.Atoi(count)
		switch {
		case err != nil || count[0] == '+':
			return promise.Span{}, fmt.Errorf("%s is not a time", quote(s))
		case days <= 0:
			return promise.Span{}, errors.New("a time must be longer than zero")
		case days > 1000:
			return promise.Span{}, fmt.Errorf("%s is too long", quote(s))
		}
		return promise.Span{BusinessDays: days}, nil
	}
	total, err := flowing(s)
	return promise.Span{Duration: total}, err
}

func flowing(s string) (time.Duration, error) {
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		if _, err := flowing(rest); err == nil {
			return 0, errors.New("a time must be longer than zero")
		}
	}
	total := time.Duration(0)
	for rest := s; rest != "" || s == ""; {
		number := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		unit := strings.IndexAny(rest[number:], "0123456789.")
		if unit < 0 {
			unit = len(rest) - number
		}
		d, err := segment(rest[:number], rest[number:number+unit])
		if err != nil {
			return 0, fmt.Errorf("%s is not a time", quote(s))
		}
		if d > maxSpan-total {
			return 0, fmt.Errorf("%s is too long", quote(s))
		}
		total += d
		rest = rest[number+unit:]
	}
	if total == 0 {
		return 0, errors.New("a time must be longer than zero")
	}
	return total, nil
}

// segment reads one number with its unit. The result saturates instead of overflowing.
func segment(number, unit string) (time.Duration, error) {
	units := map[string]time.Duration{
		"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond,
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day,
	}
	one, known := units[unit]
	// A number beyond float64 is an error and +Inf at once; it is too long, not malformed.
	f, err := strconv.ParseFloat(number, 64)
	switch {
	case !known:
		return 0, errors.New("unknown unit")
	case f*float64(one) > float64(maxSpan):
		return math.MaxInt64, nil
	}
	return time.Duration(math.Round(f * float64(one))), err
}

// span is a time that may be counted in business days.
func span(give set[promise.Span]) value {
	read := parsed(nil, func(s string) (promise.Span, complaint) {
		v, err := ParseSpan(s)
		if err != nil {
			return v, complaint{err.Error(), spanFix(s, `36h, 90d, 1w2d or "3 business days"`)}
		}
		return v, complaint{}
	}, give)
	return united(read, spanPattern)
}

// duration is flowing time only.
func duration(give set[time.Duration]) value {
	read := parsed(nil, func(s string) (time.Duration, complaint) {
		v, err := ParseSpan(s)
		switch {
		case err != nil:
			return 0, complaint{err.Error(), spanFix(s, "36h, 90d or 1w2d")}
		case v.BusinessDays > 0:
			return 0, complaint{"business days count only for promises", "write it like 36h, 90d or 1w2d"}
		}
		return v.Duration, complaint{}
	}, give)
	return united(read, timePattern)
}

// united asks for a unit where YAML saw a bare number.
func united(v value, pattern string) value {
	return value{map[string]any{"type": "string", "pattern": pattern}, func(r *reader, name string, n ast.Node) {
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			if f, err := strconv.ParseFloat(n.GetToken().Value, 64); err == nil && f <= 0 {
				r.say(n, "a time must be longer than zero", "write it like 48h or 14d")
				return
			}
			number := clip(n.GetToken().Value)
			r.say(n, name+" lacks a unit", fmt.Sprintf("write %sh or %sd", number, number))
		default:
			v.read(r, name, n)
		}
	}}
}

// spanFix understands the ways in which times are written out.
func spanFix(s, examples string) string {
	long := regexp.MustCompile(`^([0-9]+) *(h|m|d|w|hour|minute|min|day|week)s?$`).FindStringSubmatch(strings.ToLower(s))
	if long != nil {
		short := clip(long[1]) + long[2][:1]
		if _, err := ParseSpan(short); err == nil {
			return didYouMean(short)
		}
	}
	return "write it like " + examples
}
