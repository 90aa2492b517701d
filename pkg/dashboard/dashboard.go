// Package dashboard shows people where everything stands: cases, clocks, effects, and what is
// wrong. It only reads.
package dashboard

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/wording"
)

//go:embed desk.html
var deskHTML string

//go:embed setup.html
var setupHTML string

// Effect is one outward act as it is shown.
type Effect struct {
	Key, Action, Audience, State, Reason string
	Attempts                             int
	Decided, Finished                    time.Time
}

// Case is a case with its story.
type Case struct {
	disclosure.Case
	Lines   []disclosure.Line
	Effects []Effect
}

// Desk is everything on the page.
type Desk struct {
	Closed   bool // cases are not shown: nobody is logged in
	One      bool // one case with everything about it
	MadeUp   bool // a demo
	Troubles []string
	Cases    []Case
	Now      time.Time
}

// Source gives the page what it shows.
type Source interface {
	Desk(ctx context.Context) (Desk, error)
}

// Counts says how many cases are open, how many of them are overdue, and how many are closed.
func (d Desk) Counts() (c struct{ Open, Overdue, Closed int }) {
	for _, x := range d.Cases {
		switch {
		case !x.Open():
			c.Closed++
		case x.Overdue(d.Now):
			c.Overdue++
			c.Open++
		default:
			c.Open++
		}
	}
	return c
}

// Overdue reports whether a promise of the case is broken and still to be kept.
func (c Case) Overdue(now time.Time) bool {
	return slices.ContainsFunc(c.Clocks, func(k promise.Clock) bool { return k.Running() && !k.Due().After(now) })
}

// Ticked counts the tasks that are done.
func (c Case) Ticked() int {
	n := 0
	for _, t := range c.Tasks {
		if t.Done {
			n++
		}
	}
	return n
}

// New returns the pages: all cases at "/", one at "/case/{id}".
func New(s Source, now func() time.Time) http.Handler {
	t := template.Must(template.New("desk").Funcs(funcs(now)).Parse(deskHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := s.Desk(r.Context())
		if err != nil {
			http.Error(w, "the database cannot be read", http.StatusInternalServerError)
			return
		}
		d.Now = now()
		if id := r.PathValue("id"); id != "" {
			i := slices.IndexFunc(d.Cases, func(c Case) bool { return strconv.FormatInt(c.ID, 10) == id })
			if i < 0 {
				http.NotFound(w, r)
				return
			}
			d.Cases, d.One = d.Cases[i:i+1], true
		}
		// What waits for somebody comes first: overdue, open, closed.
		slices.SortStableFunc(d.Cases, func(a, b Case) int { return rank(a, d.Now) - rank(b, d.Now) })
		render(w, t, d)
	})
}

func rank(c Case, now time.Time) int {
	switch {
	case !c.Open():
		return 2
	case c.Overdue(now):
		return 0
	default:
		return 1
	}
}

// Setup returns the page that tells how to make the App. configured: the App is there already.
func Setup(publicURL string, configured bool) http.Handler {
	t := template.Must(template.New("setup").Parse(setupHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		render(w, t, map[string]any{"URL": publicURL, "Configured": configured})
	})
}

func render(w http.ResponseWriter, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = b.WriteTo(w)
}

func funcs(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"time": wording.Time,
		"name": func(k promise.Kind) string {
			return map[promise.Kind]string{promise.Acknowledge: "Answer", promise.Decide: "Decision", promise.Update: "Update", promise.Fix: "Release"}[k]
		},
		// clock says how a promise stands: a class for the colour, and words.
		"clock": func(k promise.Clock) map[string]any {
			left := k.Due().Sub(now())
			part := func(class, text string) map[string]any { return map[string]any{"Class": class, "Text": text} }
			switch {
			case k.Kept():
				return part("kept", "kept, "+wording.Span(k.Due().Sub(k.Stopped))+" before it was due")
			case !k.Stopped.IsZero():
				return part("late", wording.Span(k.Stopped.Sub(k.Due()))+" late")
			case !k.Paused.IsZero():
				return part("idle", "paused, waiting for the reporter")
			case left < 0:
				return part("late", "overdue for "+wording.Span(-left))
			default:
				return part("runs", wording.Span(left)+" left")
			}
		},
		"kind": func(k disclosure.Kind) string {
			words := strings.ReplaceAll(string(k), "-", " ")
			return strings.ToUpper(words[:1]) + words[1:]
		},
		"plain": func(markdown string) string { return strings.ReplaceAll(markdown, "`", "") },
		"short": func(t time.Time) string { return t.UTC().Format("Mon 2 Jan 15:04") },
	}
}
