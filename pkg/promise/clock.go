package promise

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
)

// A Clock is one promise running for one case. Rungs are the moments at which people are
// reminded: first those of Rule.RemindAt, then the repeats after a breach.
type Clock struct {
	Rule    Rule
	Start   time.Time
	Stopped time.Time     // zero while it runs
	Paused  time.Time     // zero unless it stands still since then
	Lost    time.Duration // time that counts, spent in earlier pauses
	Told    int           // rungs that were spoken
}

// Running reports whether the promise is still to be kept and time counts.
func (c Clock) Running() bool { return c.Stopped.IsZero() && c.Paused.IsZero() }

// Due is the moment at which the promise is broken unless it was kept.
func (c Clock) Due() time.Time { return c.at(100) }

// Kept reports whether the clock stopped in time.
func (c Clock) Kept() bool { return !c.Stopped.IsZero() && !c.Stopped.After(c.Due()) }

// Pause makes the clock stand still from now on.
func (c *Clock) Pause(now time.Time) {
	if c.Running() {
		c.Paused = now
	}
}

// Resume lets the clock run on; the pause does not count against anybody.
func (c *Clock) Resume(now time.Time) {
	if !c.Paused.IsZero() {
		c.Lost += c.Rule.Calendar.between(c.Paused, now)
		c.Paused = time.Time{}
	}
}

// Stop keeps the promise, or ends its breach. The first stop counts.
func (c *Clock) Stop(at time.Time) {
	if c.Stopped.IsZero() {
		c.Resume(at)
		c.Stopped = at
	}
}

// A Rung is one moment at which people are reminded.
type Rung struct {
	At       time.Time
	Percent  int  // 100 and more: the promise is broken
	Escalate bool // from 100 % on
	Repeat   int  // 1 … RepeatLimit for what follows the rungs of the rule
}

// Rungs returns how many rungs there are in all.
func (c Clock) Rungs() int {
	if c.Rule.Repeat <= 0 {
		return len(c.Rule.RemindAt)
	}
	return len(c.Rule.RemindAt) + c.Rule.RepeatLimit
}

// Rung returns the i-th rung, counted from 0.
func (c Clock) Rung(i int) Rung {
	if i < len(c.Rule.RemindAt) {
		p := c.Rule.RemindAt[i]
		return Rung{At: c.at(p), Percent: p, Escalate: p >= 100}
	}
	last := c.Due()
	if n := len(c.Rule.RemindAt); n > 0 {
		last = c.at(max(100, c.Rule.RemindAt[n-1]))
	}
	k := i - len(c.Rule.RemindAt) + 1
	return Rung{At: last.Add(time.Duration(k) * c.Rule.Repeat), Percent: 100, Escalate: true, Repeat: k}
}

// Passed counts the rungs that lie in the past.
func (c Clock) Passed(now time.Time) int {
	n := 0
	for n < c.Rungs() && !c.Rung(n).At.After(now) {
		n++
	}
	return n
}

// Next is the moment of the first rung not yet spoken; zero when there is none to come.
func (c Clock) Next() time.Time {
	if !c.Running() || c.Told >= c.Rungs() {
		return time.Time{}
	}
	return c.Rung(c.Told).At
}

func (c Clock) at(percent int) time.Time {
	return c.Rule.after(c.Start, percent, c.Lost)
}

// after is the moment at which percent of what the rule allows have passed since start, and what
// was lost in pauses besides.
func (r Rule) after(start time.Time, percent int, lost time.Duration) time.Time {
	if r.Calendar.Always() {
		return start.Add(r.Within.Duration/100*time.Duration(percent) + lost)
	}
	within := r.Within.Duration
	if n := r.Within.BusinessDays; n > 0 {
		within = time.Duration(n) * (r.Calendar.To - r.Calendar.From)
	}
	left := within/100*time.Duration(percent) + lost
	due := start
	r.Calendar.working(start, func(from, to time.Time) (more bool) {
		due = from.Add(min(left, to.Sub(from)))
		left -= to.Sub(from)
		return left > 0
	})
	return due.Round(time.Millisecond).UTC()
}

// between is how much time counted between two moments.
func (c Calendar) between(from, to time.Time) (sum time.Duration) {
	if c.Always() {
		return to.Sub(from)
	}
	c.working(from, func(a, b time.Time) (more bool) {
		if a.Before(to) {
			sum += earlier(b, to).Sub(a)
		}
		return b.Before(to)
	})
	return sum.Round(time.Millisecond)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// mostDays is where the search for working hours ends: no promise takes that long.
const mostDays = 200 * 366

// working gives the working hours from a moment on, day after day, until f has enough of them. It goes by
// dates: on two days of the year a day does not have 24 hours.
func (c Calendar) working(start time.Time, f func(from, to time.Time) (more bool)) {
	loc, days := c.location(), c.business()
	year, month, day := start.In(loc).Date()
	for i := range mostDays {
		at := func(sinceMidnight time.Duration) time.Time {
			return time.Date(year, month, day+i, 0, 0, 0, int(sinceMidnight), loc)
		}
		from, to := at(c.From), at(c.To)
		if from.Before(start) {
			from = start
		}
		if days.IsWorkday(at(12*time.Hour)) && from.Before(to) && !f(from, to) {
			return
		}
	}
}

func (c Calendar) location() *time.Location {
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return time.UTC // the policy was checked; a machine without time zones still keeps promises
	}
	return loc
}

// business builds the calendar of working days.
func (c Calendar) business() *cal.BusinessCalendar {
	b := cal.NewBusinessCalendar()
	for d := time.Sunday; d <= time.Saturday; d++ {
		b.SetWorkday(d, slices.Contains(c.Days, d))
	}
	b.AddHoliday(holidays(c.Holidays)...)
	return b
}
