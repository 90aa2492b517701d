package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/heed-app/heed/pkg/promise"
)

// A draft is a policy being read: what needs the whole file to be understood waits here.
type draft struct {
	*reader
	forms              forms
	policy             *Policy
	confident, suspect spot[float64]
	vows               []*vow
	severe             []severe
	rungs              promise.Rule // only what all rules share: reminders and repeats
	calendars          map[string]promise.Calendar
}

// A vow is a promise as written; what was left out has no place.
type vow struct {
	kind     promise.Kind
	within   spot[promise.Span]
	counts   spot[string]
	calendar spot[string]
}

// severe is a promise with a time of its own for one severity.
type severe struct {
	level  string
	vow    *vow
	within spot[promise.Span]
}

// newDraft starts from the defaults in p, which are overwritten key by key. All rules share one set
// of reminders in the file; that of the default's acknowledgement, which always exists, seeds it.
func newDraft(r *reader, p *Policy) *draft {
	d := &draft{reader: r, forms: newForms(), policy: p, calendars: map[string]promise.Calendar{}}
	d.rungs = p.Promises.Rules[0]
	for _, k := range []promise.Kind{promise.Acknowledge, promise.Decide, promise.Update, promise.Fix} {
		d.vows = append(d.vows, &vow{kind: k})
	}
	return d
}

// finish joins what was read in several places and checks what only the whole file can tell.
func (d *draft) finish() {
	d.thresholds()
	var rules []promise.Rule
	for _, v := range d.vows {
		// Left out means as the default has it, and the default promises only an acknowledgement.
		base, promised := d.policy.Promises.Rule(v.kind)
		if !promised && v.within.at == nil {
			d.calendarOf(v) // a broken promise's calendar is still checked
			continue
		}
		rules = append(rules, d.rule(base, v))
	}
	d.policy.Promises.Rules = rules
	for _, s := range d.severe {
		d.businessDays(s.vow, s.within)
		if d.policy.Promises.BySeverity == nil {
			d.policy.Promises.BySeverity = map[string]map[promise.Kind]promise.Span{}
		}
		kinds := d.policy.Promises.BySeverity[s.level]
		if kinds == nil {
			kinds = map[promise.Kind]promise.Span{}
			d.policy.Promises.BySeverity[s.level] = kinds
		}
		kinds[s.vow.kind] = s.within.v
	}
}

// rule is a promise with the defaults, the shared reminders and its calendar in it.
func (d *draft) rule(base promise.Rule, v *vow) promise.Rule {
	rule := base
	rule.Kind = v.kind
	rule.RemindAt, rule.Repeat, rule.RepeatLimit = slices.Clone(d.rungs.RemindAt), d.rungs.Repeat, d.rungs.RepeatLimit
	if v.within.at != nil {
		rule.Within = v.within.v
	}
	if v.counts.at != nil {
		rule.Machine = v.counts.v == "any"
	}
	if v.calendar.at != nil {
		rule.Calendar = d.calendarOf(v)
	}
	d.businessDays(v, v.within)
	return rule
}

// calendarOf is the calendar that a promise names: the zero one for "always" and, after a
// complaint, for a name that the file does not explain.
func (d *draft) calendarOf(v *vow) promise.Calendar {
	name := v.calendar.v
	if v.calendar.at == nil || name == "always" {
		return promise.Calendar{}
	}
	calendar, ok := d.calendars[name]
	if !ok {
		known := []string{"always"}
		for n := range d.calendars {
			known = append(known, n)
		}
		slices.Sort(known)
		d.say(v.calendar.at, "unknown calendar "+quote(name), hint(name, known))
	}
	return calendar
}

// businessDays refuses days that no calendar counts. A time by severity is counted in the calendar of
// the promise that it changes.
func (d *draft) businessDays(v *vow, within spot[promise.Span]) {
	if within.at != nil && within.v.BusinessDays > 0 && (v.calendar.at == nil || v.calendar.v == "always") {
		d.say(within.at, "business days need a calendar", "name one in "+string(v.kind)+": {calendar: …}, and describe it under calendars")
	}
}

// thresholds refuses a suspicion that is surer than confidence: no text would ever be suspect.
func (d *draft) thresholds() {
	t := &d.policy.Public.Threshold
	at := d.confident.at
	if at != nil {
		t.Confident = d.confident.v
	}
	if d.suspect.at != nil {
		t.Suspect, at = d.suspect.v, d.suspect.at
	}
	if at != nil && t.Suspect > t.Confident {
		number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
		d.say(at, "suspect ("+number(t.Suspect)+") is above confident ("+number(t.Confident)+")", "suspect must not be above confident")
	}
}

// percentages are the rungs at which people are reminded.
func (d *draft) percentages() value {
	last := 0
	percent := func(give set[int]) value {
		schema := map[string]any{"type": "string", "pattern": `^[1-9][0-9]{0,2}%$`}
		read := parsed(schema, func(s string) (int, complaint) {
			n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
			if err != nil || !strings.HasSuffix(s, "%") || n < 1 || n > 999 || s[0] == '+' || s[0] == '0' {
				return 0, complaint{quote(s) + " is not a percentage above zero", "write it like 80%"}
			}
			return n, complaint{}
		}, func(n int, at ast.Node) {
			if n < last {
				d.say(at, "remind_at must ascend, "+strconv.Itoa(n)+"% follows "+strconv.Itoa(last)+"%", "put the smaller one first")
			}
			last = n
			give(n, at)
		})
		return value{schema, func(r *reader, name string, n ast.Node) {
			if number, ok := n.(*ast.IntegerNode); ok {
				r.say(n, name+" wants percentages", "write "+clip(number.Token.Value)+"%")
				return
			}
			read.read(r, name, n)
		}}
	}
	return list(percent, to(&d.rungs.RemindAt))
}

// calendarEntry is one entry of calendars.
func (d *draft) calendarEntry(name string) (value, func()) {
	c := promise.Calendar{Name: name, To: day, Timezone: "UTC"}
	fields := object(
		field{"days", "Working days: mon-fri, or a list.", oneOrMany(weekdays, func(parts []string, _ ast.Node) {
			for _, part := range parts {
				c.Days = append(c.Days, daysOf(part)...)
			}
		}), true},
		field{"hours", "Working hours; left out: all day.", hours(&c), false},
		field{"timezone", "Name in the IANA database; left out: UTC.", timezone(&c), false},
		field{"holidays", "Country whose public holidays are free; left out: none.", choice("country", to(&c.Holidays), promise.Countries()...), false},
	)
	return fields, func() {
		slices.Sort(c.Days)
		c.Days = slices.Compact(c.Days)
		// Known even with a mistake in it: otherwise every promise that names it would be one, too.
		d.calendars[name] = c
	}
}

// weekdays is a day or a range of days, kept as text so that a list can tell duplicates.
func weekdays(give set[string]) value {
	const one = `(mon|tue|wed|thu|fri|sat|sun)`
	schema := map[string]any{"type": "string", "pattern": "^" + one + "(-" + one + ")?$"}
	return parsed(schema, func(s string) (string, complaint) {
		if daysOf(s) == nil {
			return "", complaint{quote(s) + " is not a day or a range of days", "write it like mon-fri or [mon, tue]"}
		}
		return s, complaint{}
	}, give)
}

// daysOf lists the days of a range; it may run over the end of the week (sun-thu).
func daysOf(s string) []time.Weekday {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	from, until := slices.Index(names, first), slices.Index(names, last)
	if from < 0 || until < 0 {
		return nil
	}
	days := []time.Weekday{time.Weekday(from)}
	for from != until {
		from = (from + 1) % 7
		days = append(days, time.Weekday(from))
	}
	return days
}

// hours are a stretch of one day. Night shifts over midnight are not office hours.
func hours(c *promise.Calendar) value {
	const clock = `([01][0-9]|2[0-3]):[0-5][0-9]`
	schema := map[string]any{"type": "string", "pattern": "^" + clock + "-(" + clock + "|24:00)$"}
	type period struct{ from, to time.Duration }
	return parsed(schema, func(s string) (period, complaint) {
		first, last, _ := strings.Cut(s, "-")
		from, ok1 := sinceMidnight(first)
		to, ok2 := sinceMidnight(last)
		switch {
		case !ok1 || !ok2:
			return period{}, complaint{quote(s) + " are not hours", `write them like "09:00-17:00"`}
		case from >= to:
			return period{}, complaint{"the hours end before they begin", `write them like "09:00-17:00"`}
		}
		return period{from, to}, complaint{}
	}, func(p period, _ ast.Node) { c.From, c.To = p.from, p.to })
}

func sinceMidnight(s string) (time.Duration, bool) {
	if s == "24:00" {
		return day, true
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil && len(s) == len("15:04")
}

// timezone must be known here. "Local" is the server's, which no project means.
func timezone(c *promise.Calendar) value {
	return parsed(map[string]any{"type": "string", "minLength": 1}, func(s string) (string, complaint) {
		if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
			return "", complaint{"unknown timezone " + quote(s), "write it like Europe/Berlin"}
		}
		return s, complaint{}
	}, to(&c.Timezone))
}
