package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/store"
	"github.com/heed-app/heed/pkg/wording"
)

// cases shows the queue or one case. Text of a report is shown only when that is asked for.
func (p program) cases(ctx context.Context, c command, args []string) error {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	given := settingFlags(fs, "database")
	all := fs.Bool("all", false, "closed cases too")
	text := fs.Bool("text", false, "with show: the texts that were taken out of public view; they are under embargo")
	words, err := p.parse(c, fs, args)
	if err != nil {
		return err
	}
	show := p.list(*all)
	switch {
	case len(words) == 0 || len(words) == 1 && words[0] == "list":
	case len(words) == 2 && words[0] == "show":
		id, err := strconv.ParseInt(strings.TrimPrefix(words[1], "#"), 10, 64)
		if err != nil {
			return c.misused("%q is not the number of a case", words[1])
		}
		show = p.show(id, *text)
	default:
		return c.misused("want list or show ID")
	}
	return p.withStore(ctx, given, show)
}

// withStore does something with the database that the settings name.
func (p program) withStore(ctx context.Context, given map[string]string, do func(context.Context, *store.Store) error) error {
	settings, err := config.Load(given, p.getenv)
	if err != nil {
		return err
	}
	st, err := openStore(ctx, settings)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, st), st.Close())
}

// openStore opens a database that is there. Looking must not make one.
func openStore(ctx context.Context, s config.Server) (*store.Store, error) {
	if store.Postgres(s.Database) {
		return app.OpenStore(ctx, s)
	}
	path, err := store.Path(s.Database)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database %s; give --database or --config", path)
	}
	return app.OpenStore(ctx, s)
}

// list prints the queue as a table.
func (p program) list(all bool) func(context.Context, *store.Store) error {
	return func(ctx context.Context, st *store.Store) error {
		cs, err := st.Cases(ctx, all)
		if err != nil {
			return err
		}
		if len(cs) == 0 {
			_, err := fmt.Fprintln(p.out, map[bool]string{false: "no open cases", true: "no cases"}[all])
			return err
		}
		now := time.Now()
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "CASE\tREPOSITORY\tKIND\tSTATE\tAGE\tNEXT DUE\tCOORDINATOR")
		for _, c := range cs {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Repo, c.Kind, stateOf(c), wording.Span(now.Sub(c.Opened)), due(c, now), either(c.Coordinator, "nobody yet"))
		}
		return w.Flush()
	}
}

func stateOf(c disclosure.Case) string {
	if c.Outcome == "" {
		return string(c.State)
	}
	return fmt.Sprintf("%s (%s)", c.State, c.Outcome)
}

// due is the promise that ends first, and whether it is broken already.
func due(c disclosure.Case, now time.Time) string {
	var next *promise.Clock
	for i := range c.Clocks {
		if k := &c.Clocks[i]; c.Open() && k.Running() && (next == nil || k.Due().Before(next.Due())) {
			next = k
		}
	}
	switch {
	case next == nil:
		return "–"
	case next.Due().Before(now):
		return string(next.Rule.Kind) + " overdue for " + wording.Span(now.Sub(next.Due()))
	default:
		return string(next.Rule.Kind) + " in " + wording.Span(next.Due().Sub(now))
	}
}

// show prints one case: how it stands, what happened, and what was done about it.
func (p program) show(id int64, text bool) func(context.Context, *store.Store) error {
	return func(ctx context.Context, st *store.Store) error {
		c, err := st.Case(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no case %d", id)
		}
		if err != nil {
			return err
		}
		lines, err := st.History(ctx, id)
		if err != nil {
			return err
		}
		records, err := st.Records(ctx, id)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		p.head(w, c)
		fmt.Fprint(w, "\nWhat happened\n")
		for _, l := range lines {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", wording.Time(l.At), either(l.By, "heed"), plain(l.Text))
		}
		fmt.Fprint(w, "\nWhat was done\n")
		for _, r := range records {
			fmt.Fprintf(w, "  %s\t%s\tfor %s\t%s\t%s\n", wording.Time(r.Decided), r.Key, r.Audience, outcome(r), plain(r.Reason))
		}
		if err := w.Flush(); err != nil || !text {
			return err
		}
		return p.texts(c)
	}
}

// texts prints what was taken out of public view. A stranger wrote it: nothing in it may command the
// terminal.
func (p program) texts(c disclosure.Case) error {
	texts := []disclosure.Text{{Title: c.Title, Body: c.Body}}
	for _, k := range c.Kept {
		texts = append(texts, k.Text)
	}
	for _, t := range texts {
		if t.Title.IsZero() && t.Body.IsZero() {
			continue
		}
		if _, err := fmt.Fprintf(p.out, "\nUnder embargo: %s\n", plain(t.Title.Reveal())); err != nil {
			return err
		}
		for line := range strings.Lines(t.Body.Reveal()) {
			if _, err := fmt.Fprintf(p.out, "  %s\n", plain(strings.TrimRight(line, "\r\n"))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p program) head(w *tabwriter.Writer, c disclosure.Case) {
	now := time.Now()
	fmt.Fprintf(w, "Case %d\t%s, %s\n", c.ID, c.Kind, stateOf(c))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, plain(value))
		}
	}
	row("Repository", c.Repo.String())
	row("Advisory", c.AdvisoryURL)
	row("Public issue", c.IssueURL)
	row("Received", wording.Time(c.Opened)+", "+wording.Span(now.Sub(c.Opened))+" ago")
	row("Reporter", c.Reporter)
	row("Coordinator", either(c.Coordinator, "nobody yet"))
	if !c.Ack.At.IsZero() {
		row("Answered", wording.Time(c.Ack.At)+" by "+either(c.Ack.By, "the maintainers"))
	}
	row("Next due", due(c, now))
	row("Trouble", c.Trouble)
}

func outcome(r store.Record) string {
	if r.Attempts > 1 {
		return fmt.Sprintf("%s after %d attempts", r.State, r.Attempts)
	}
	return r.State
}

func either(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// plain keeps what strangers named from moving the cursor of who reads it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
