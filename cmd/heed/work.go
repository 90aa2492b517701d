package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/heed-app/heed/pkg/store"
	"github.com/heed-app/heed/pkg/wording"
)

// work shows what was laid aside, and lets an operator have it tried again or drop it. A running App
// takes up within a second what is tried again.
func (p program) work(ctx context.Context, c command, args []string) error {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	given := settingFlags(fs, "database")
	words, err := p.parse(c, fs, args)
	if err != nil {
		return err
	}
	do := p.aside
	switch {
	case len(words) == 0 || len(words) == 1 && words[0] == "list":
	case len(words) == 2 && words[0] == "retry":
		do = p.change(words[1], "is tried again", (*store.Store).RetryWork)
	case len(words) == 2 && words[0] == "drop":
		do = p.change(words[1], "is dropped", (*store.Store).DropWork)
	case len(words) == 2 && words[0] == "approve":
		do = p.change(words[1], "is approved", (*store.Store).ApproveWork)
	default:
		return c.misused("want list, retry ID, approve ID or drop ID")
	}
	return p.withStore(ctx, given, do)
}

// change does something about one piece of work and says so.
func (p program) change(id, done string, do func(*store.Store, context.Context, time.Time, string) error) func(context.Context, *store.Store) error {
	return func(ctx context.Context, st *store.Store) error {
		err := do(st, ctx, time.Now(), id)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no %s that lies aside; heed work lists what does", id)
		}
		if err == nil {
			_, err = fmt.Fprintln(p.out, id, done)
		}
		return err
	}
}

// aside prints what lies aside: first what waits for an operator, then what the policy's mode keeps.
func (p program) aside(ctx context.Context, st *store.Store) error {
	all, err := st.Work(ctx)
	if err != nil {
		return err
	}
	var failed, held []store.Work
	for _, w := range all {
		if w.Withheld {
			held = append(held, w)
		} else {
			failed = append(failed, w)
		}
	}
	if len(failed) == 0 {
		fmt.Fprintln(p.out, "nothing was laid aside")
	} else if err := workTable(p.out, failed); err != nil {
		return err
	}
	if len(held) == 0 {
		return nil
	}
	fmt.Fprint(p.out, "\nNever tried, because the policy's mode is not \"act\"; what waits for approval is done after heed work approve ID:\n")
	return workTable(p.out, held)
}

func workTable(out io.Writer, ws []store.Work) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSINCE\tCASE\tWHAT\tATTEMPTS\tREASON")
	for _, w := range ws {
		number, what := "–", "delivery: "+w.What
		if w.Case != 0 {
			number, what = strconv.FormatInt(w.Case, 10), string(w.Action)+": "+w.What
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", w.ID, wording.Time(w.At), number, plain(what), w.Attempts, plain(w.Reason))
	}
	return t.Flush()
}
