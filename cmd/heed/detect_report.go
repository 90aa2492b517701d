package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/store"
)

// enough is how many rulings it takes to propose thresholds.
const enough = 20

// detectReport prints how often maintainers agreed with the detector.
func (p program) detectReport(ctx context.Context, given map[string]string) error {
	return p.withStore(ctx, given, func(ctx context.Context, st *store.Store) error {
		labels, err := st.Labels(ctx)
		if err != nil {
			return err
		}
		return p.rulings(labels)
	})
}

// rulings prints precision by score, and what thresholds would follow from it.
func (p program) rulings(labels []store.Label) error {
	if len(labels) == 0 {
		_, err := fmt.Fprintln(p.out, "no maintainer has said confirm, redirect or not-security yet")
		return err
	}
	yes := 0
	for _, l := range labels {
		if l.Security {
			yes++
		}
	}
	fmt.Fprintf(p.out, "Rulings of maintainers since %s: %d. Reports: %d, others: %d.\n\n", labels[0].At.Format("2006-01-02"), len(labels), yes, len(labels)-yes)
	limits := policy.Default().Public.Threshold
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SCORE\tREPORTS\tNOT\tPRECISION")
	for _, band := range []struct {
		name     string
		from, to float64
	}{
		{fmt.Sprintf("%.2f and more", limits.Confident), limits.Confident, 2},
		{fmt.Sprintf("%.2f to %.2f", limits.Suspect, limits.Confident), limits.Suspect, limits.Confident},
		{fmt.Sprintf("below %.2f", limits.Suspect), -1, limits.Suspect},
	} {
		is, not := 0, 0
		for _, l := range labels {
			switch {
			case l.Score < band.from || l.Score >= band.to:
			case l.Security:
				is++
			default:
				not++
			}
		}
		precision := "–"
		if is+not > 0 {
			precision = fmt.Sprintf("%.2f", float64(is)/float64(is+not))
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\n", band.name, is, not, precision)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(labels) < enough {
		_, err := fmt.Fprintf(p.out, "\nThresholds can be proposed from %d rulings on.\n", enough)
		return err
	}
	confident, sure := lowest(labels, limits.Confident)
	suspect, worth := lowest(labels, .5)
	fmt.Fprint(p.out, "\nThresholds that these rulings speak for:\n")
	for _, x := range []struct {
		name, means string
		at          float64
		found       bool
	}{
		{"confident", "at least 95 of 100 above it were reports", confident, sure},
		{"suspect", "at least every second one above it was a report", suspect, worth},
	} {
		if !x.found {
			fmt.Fprintf(p.out, "  %-10s none: %s at no score\n", x.name+":", x.means)
			continue
		}
		fmt.Fprintf(p.out, "  %-10s %.2f   (%s)\n", x.name+":", x.at, x.means)
	}
	return nil
}

// lowest finds the lowest score above which so large a share were reports; false: there is none.
func lowest(labels []store.Label, precision float64) (score float64, found bool) {
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b store.Label) int { return -cmp.Compare(a.Score, b.Score) })
	is := 0
	for i, l := range sorted {
		if l.Security {
			is++
		}
		if i+1 < len(sorted) && sorted[i+1].Score == l.Score {
			continue // a threshold cannot part them
		}
		if float64(is) >= precision*float64(i+1) {
			score, found = l.Score, true
		}
	}
	return score, found
}
