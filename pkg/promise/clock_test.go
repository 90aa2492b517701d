package promise_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/heed-app/heed/pkg/promise"
)

// start is a Monday.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func utc(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// twoDays is the acknowledgement of the built-in policy.
func twoDays() promise.Clock {
	return promise.Clock{
		Start: start,
		Rule: promise.Rule{
			Kind: promise.Acknowledge, Within: promise.Span{Duration: 48 * time.Hour},
			RemindAt: []int{50, 80, 100}, Repeat: 24 * time.Hour, RepeatLimit: 2,
		},
	}
}

func office() promise.Calendar {
	return promise.Calendar{
		Name: "office", Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday},
		From: 9 * time.Hour, To: 17 * time.Hour, Timezone: "Europe/Berlin", Holidays: "de",
	}
}

func TestRungs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		remind []int
		repeat time.Duration
		limit  int
		want   []promise.Rung
	}{
		{
			name: "half, most, all of the time, then every day as often as the limit says", remind: []int{50, 80, 100}, repeat: 24 * time.Hour, limit: 2,
			want: []promise.Rung{
				{At: start.Add(24 * time.Hour), Percent: 50},
				{At: start.Add(38*time.Hour + 24*time.Minute), Percent: 80},
				{At: start.Add(48 * time.Hour), Percent: 100, Escalate: true},
				{At: start.Add(72 * time.Hour), Percent: 100, Escalate: true, Repeat: 1},
				{At: start.Add(96 * time.Hour), Percent: 100, Escalate: true, Repeat: 2},
			},
		},
		{
			name: "rungs after the breach come before the repeats", remind: []int{100, 150}, repeat: 12 * time.Hour, limit: 1,
			want: []promise.Rung{
				{At: start.Add(48 * time.Hour), Percent: 100, Escalate: true},
				{At: start.Add(72 * time.Hour), Percent: 150, Escalate: true},
				{At: start.Add(84 * time.Hour), Percent: 100, Escalate: true, Repeat: 1},
			},
		},
		{
			name: "without a rung at the end repeats still count from the breach", remind: []int{50}, repeat: 24 * time.Hour, limit: 1,
			want: []promise.Rung{
				{At: start.Add(24 * time.Hour), Percent: 50},
				{At: start.Add(72 * time.Hour), Percent: 100, Escalate: true, Repeat: 1},
			},
		},
		{
			name: "without any rung there are only repeats", repeat: 24 * time.Hour, limit: 1,
			want: []promise.Rung{{At: start.Add(72 * time.Hour), Percent: 100, Escalate: true, Repeat: 1}},
		},
		{
			name: "without a pause between them nothing is repeated", remind: []int{100}, limit: 7,
			want: []promise.Rung{{At: start.Add(48 * time.Hour), Percent: 100, Escalate: true}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := twoDays()
			clock.Rule.RemindAt, clock.Rule.Repeat, clock.Rule.RepeatLimit = c.remind, c.repeat, c.limit
			var got []promise.Rung
			for i := range clock.Rungs() {
				got = append(got, clock.Rung(i))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rungs (-want +got):\n%s", diff)
			}
			for i, r := range c.want {
				if n := clock.Passed(r.At); n != i+1 {
					t.Errorf("at rung %d Passed = %d", i, n)
				}
				if n := clock.Passed(r.At.Add(-time.Microsecond)); n != i {
					t.Errorf("just before rung %d Passed = %d", i, n)
				}
				if clock.Told = i; !clock.Next().Equal(r.At) {
					t.Errorf("after %d rungs Next = %s, want %s", i, clock.Next(), r.At)
				}
			}
			if clock.Told = len(c.want); !clock.Next().IsZero() {
				t.Errorf("when all was said Next = %s", clock.Next())
			}
		})
	}
}

func TestPausesCountAgainstNobody(t *testing.T) {
	t.Parallel()
	c := twoDays()
	c.Pause(start.Add(10 * time.Hour))
	if c.Running() || !c.Next().IsZero() {
		t.Error("a clock that stands still reminds somebody")
	}
	c.Pause(start.Add(20 * time.Hour)) // already paused: the first pause counts
	c.Resume(start.Add(40 * time.Hour))
	if want := start.Add(78 * time.Hour); !c.Due().Equal(want) {
		t.Errorf("due %s, want %s", c.Due(), want)
	}
	if want := start.Add(54 * time.Hour); !c.Next().Equal(want) {
		t.Errorf("next %s, want %s", c.Next(), want)
	}
	c.Resume(start.Add(50 * time.Hour)) // it runs already
	c.Pause(start.Add(60 * time.Hour))
	c.Resume(start.Add(61 * time.Hour))
	if c.Lost != 31*time.Hour {
		t.Errorf("two pauses of 30 and 1 hours lost %s", c.Lost)
	}
}

func TestFirstStopCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		pause  time.Duration // 0: none
		at     time.Duration
		kept   bool
		stands time.Duration // time lost
	}{
		{name: "a stop at the last moment keeps the promise", at: 48 * time.Hour, kept: true},
		{name: "a stop a moment later does not", at: 48*time.Hour + 1},
		{name: "a stop ends the pause, which does not count", pause: 10 * time.Hour, at: 100 * time.Hour, kept: true, stands: 90 * time.Hour},
		{name: "a pause after the breach mends nothing", pause: 49 * time.Hour, at: 51 * time.Hour, stands: 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := twoDays()
			if clock.Kept() {
				t.Error("kept before it was stopped")
			}
			if c.pause != 0 {
				clock.Pause(start.Add(c.pause))
			}
			clock.Stop(start.Add(c.at))
			clock.Stop(start.Add(1000 * time.Hour))
			clock.Pause(start.Add(1001 * time.Hour))
			if !clock.Stopped.Equal(start.Add(c.at)) || clock.Running() || !clock.Paused.IsZero() || !clock.Next().IsZero() {
				t.Errorf("the first stop does not stand: %+v", clock)
			}
			if clock.Kept() != c.kept || clock.Lost != c.stands {
				t.Errorf("kept %t, lost %s; want %t, %s", clock.Kept(), clock.Lost, c.kept, c.stands)
			}
		})
	}
}

func TestCalendars(t *testing.T) {
	t.Parallel()
	allDay := promise.Calendar{Name: "weekdays", Days: office().Days, To: 24 * time.Hour, Timezone: "UTC"}
	for _, c := range []struct {
		name     string
		calendar promise.Calendar
		within   promise.Span
		from     string
		percent  int
		want     string
	}{
		{"hours of an office day count from its start", office(), promise.Span{Duration: 4 * time.Hour}, "2026-01-12 04:00", 100, "2026-01-12 12:00"},
		{"what is left over goes on the next morning", office(), promise.Span{Duration: 4 * time.Hour}, "2026-01-12 15:00", 100, "2026-01-13 11:00"},
		{"a weekend does not count", office(), promise.Span{Duration: 2 * time.Hour}, "2026-01-16 15:30", 100, "2026-01-19 09:30"},
		{"Good Friday and Easter Monday do not count", office(), promise.Span{Duration: 2 * time.Hour}, "2026-04-02 14:00", 100, "2026-04-07 08:00"},
		{"three business days from the morning end on the third evening", office(), promise.Span{BusinessDays: 3}, "2026-01-12 08:00", 100, "2026-01-14 16:00"},
		{"three business days over Christmas and New Year", office(), promise.Span{BusinessDays: 3}, "2026-12-24 11:00", 100, "2026-12-30 11:00"},
		{"the clocks go forward in between: the office still opens at nine", office(), promise.Span{BusinessDays: 2}, "2026-03-27 15:00", 100, "2026-03-31 14:00"},
		{"the clocks go back in between", office(), promise.Span{BusinessDays: 1}, "2026-10-23 14:00", 100, "2026-10-26 15:00"},
		{"half of it", office(), promise.Span{BusinessDays: 3}, "2026-01-12 08:00", 50, "2026-01-13 12:00"},
		{"one and a half of it", office(), promise.Span{BusinessDays: 2}, "2026-01-12 08:00", 150, "2026-01-14 16:00"},
		{"whole weekdays", allDay, promise.Span{Duration: 48 * time.Hour}, "2026-01-16 12:00", 100, "2026-01-20 12:00"},
		{"whole business days", allDay, promise.Span{BusinessDays: 2}, "2026-01-17 12:00", 100, "2026-01-21 00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := promise.Clock{
				Start: utc(t, c.from),
				Rule:  promise.Rule{Within: c.within, Calendar: c.calendar, RemindAt: []int{c.percent}},
			}
			got := clock.Rung(0).At
			if !got.Equal(utc(t, c.want)) || got.Location() != time.UTC {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestEveryCountryHasHolidays(t *testing.T) {
	t.Parallel()
	due := func(country string) time.Time {
		cal := office()
		cal.Holidays = country
		return promise.Clock{Start: start, Rule: promise.Rule{Within: promise.Span{BusinessDays: 250}, Calendar: cal}}.Due()
	}
	without := due("")
	countries := promise.Countries()
	if len(countries) < 30 {
		t.Errorf("only %v", countries)
	}
	for _, country := range countries {
		if !due(country).After(without) {
			t.Errorf("a year of business days in %s has no holiday", country)
		}
	}
}

// Whatever a policy says, a reminder is never due before the report, and the next one comes after the
// last: otherwise a case would be woken in a circle.
func TestNextOnlyGoesForward(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := promise.Clock{Start: start.Add(time.Duration(rapid.IntRange(0, 1<<20).Draw(t, "minutes")) * time.Minute)}
		c.Rule.Within.Duration = time.Duration(rapid.IntRange(1, 90*86400).Draw(t, "within")) * time.Second
		if rapid.Bool().Draw(t, "office") {
			c.Rule.Calendar = office()
			c.Rule.Within.Duration = min(c.Rule.Within.Duration, 1000*time.Hour)
			if rapid.Bool().Draw(t, "days") {
				c.Rule.Within = promise.Span{BusinessDays: rapid.IntRange(1, 30).Draw(t, "business days")}
			}
		}
		for p := 0; rapid.IntRange(0, 3).Draw(t, "more") > 0 && p < 200; {
			p += rapid.IntRange(1, 90).Draw(t, "percent")
			c.Rule.RemindAt = append(c.Rule.RemindAt, p)
		}
		c.Rule.Repeat = time.Duration(rapid.IntRange(0, 86400).Draw(t, "repeat")) * time.Second
		c.Rule.RepeatLimit = rapid.IntRange(0, 5).Draw(t, "limit")
		at := c.Start
		for range rapid.IntRange(0, 3).Draw(t, "pauses") {
			at = at.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "run")) * time.Hour)
			c.Pause(at)
			at = at.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "stand")) * time.Hour)
			c.Resume(at)
		}
		last := c.Start
		for c.Told = range c.Rungs() {
			next := c.Next()
			if !next.After(last) {
				t.Fatalf("rung %d at %s does not follow %s (%+v)", c.Told, next, last, c.Rule)
			}
			if n := c.Passed(next); n != c.Told+1 {
				t.Fatalf("at rung %d Passed is %d", c.Told, n)
			}
			last = next
		}
	})
}

// On the day on which clocks are set forward an hour is missing, and no whole day is.
func TestDayThatIsAnHourShort(t *testing.T) {
	t.Parallel()
	every := promise.Calendar{Name: "all", Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, To: 24 * time.Hour, Timezone: "Europe/Berlin"}
	start := time.Date(2026, 3, 27, 10, 0, 0, 0, time.UTC)
	k := promise.Clock{Rule: promise.Rule{Within: promise.Span{Duration: 120 * time.Hour}, Calendar: every}, Start: start}
	if due, want := k.Due(), start.Add(120*time.Hour); !due.Equal(want) {
		t.Errorf("due %s, want %s", due, want)
	}
}
