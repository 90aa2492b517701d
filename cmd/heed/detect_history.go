package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/policy"
)

// pastIssues is how many of the last issues of a repository are read.
const pastIssues = 500

// detectHistory prints what would have happened to the last issues of a repository. It writes nothing
// anywhere.
func (p program) detectHistory(ctx context.Context, c command, given map[string]string, name, file string) error {
	owner, repo, ok := strings.Cut(name, "/")
	if !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
		return c.misused("--history wants OWNER/REPOSITORY")
	}
	public := policy.Default().Public
	if file != "" {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			return err
		}
		parsed, mistakes := policy.Parse(file, text)
		if len(mistakes) > 0 {
			return fmt.Errorf("%s has mistakes; heed policy check %s lists them", file, file)
		}
		public = parsed.Public
	}
	settings, err := config.Load(given, p.getenv)
	if err != nil {
		return err
	}
	if !settings.HasApp() {
		return c.misused("--history asks GitHub, and needs the App's credentials")
	}
	h, err := app.NewHub(settings, nil, nil, time.Now, logger(settings, p.err), nil)
	if err != nil {
		return err
	}
	r := disclosure.Repo{Owner: owner, Name: repo}
	inst, err := h.InstallationOf(ctx, r)
	if err != nil {
		return err
	}
	issues, err := h.RecentIssues(ctx, inst, r, pastIssues)
	if err != nil {
		return err
	}
	return tellHistory(p.out, name, issues, public)
}

// judged is an issue with what would have become of it.
type judged struct {
	hub.IssueNotice
	verdict detect.Verdict
	reading detect.Reading
}

func judgeAll(issues []hub.IssueNotice, public policy.PublicReports, vocabulary []string) (out []judged) {
	reader := detect.For(vocabulary)
	for _, i := range issues {
		v := reader.Read(i.Title.Reveal(), i.Body.Reveal())
		out = append(out, judged{i, v, v.Reading(public.Threshold.Confident, public.Threshold.Suspect)})
	}
	return out
}

// tellHistory speaks of public issues only, so it may quote them.
func tellHistory(out io.Writer, name string, issues []hub.IssueNotice, public policy.PublicReports) error {
	if len(issues) == 0 {
		_, err := fmt.Fprintf(out, "%s has no issues.\n", name)
		return err
	}
	all := judgeAll(issues, public, public.Vocabulary)
	first, last := issues[len(issues)-1].Created, issues[0].Created
	fmt.Fprintf(out, "%s: %d issues, %s to %s, thresholds %.2f and %.2f\n\n", name, len(all), first.Format("2006-01-02"), last.Format("2006-01-02"),
		public.Threshold.Confident, public.Threshold.Suspect)
	count := map[detect.Reading]int{}
	for _, j := range all {
		count[j.reading]++
	}
	for _, line := range []struct {
		reading detect.Reading
		means   string
	}{
		{detect.ReadConfident, "would have been taken out of public view"},
		{detect.ReadSuspect, "maintainers would have been asked"},
		{detect.ReadContact, "their authors would have been told the private way"},
		{detect.ReadDependency, "a public CVE in a dependency: nothing is hidden"},
		{detect.ReadSpam, "phishing: maintainers would have been told"},
		{detect.ReadOrdinary, "left alone"},
	} {
		fmt.Fprintf(out, "  %-11s %4d  %s\n", line.reading, count[line.reading], line.means)
	}
	flagged := slices.DeleteFunc(slices.Clone(all), func(j judged) bool { return j.reading != detect.ReadConfident && j.reading != detect.ReadSuspect })
	slices.SortStableFunc(flagged, func(a, b judged) int { return -cmp.Compare(a.verdict.Probability, b.verdict.Probability) })
	for _, j := range flagged {
		fmt.Fprintf(out, "\n%s %.2f  %s  %s\n  %s\n", j.reading, j.verdict.Probability, j.Created.Format("2006-01-02"), plain(j.URL), plain(strings.Join(j.verdict.Why, " · ")))
	}
	words := everydayWords(all, flagged)
	if len(words) == 0 {
		return nil
	}
	left := map[detect.Reading]int{}
	for _, j := range judgeAll(issues, public, append(slices.Clone(public.Vocabulary), words...)) {
		left[j.reading]++
	}
	_, err := fmt.Fprintf(out, "\nThese led to some of it and are everyday words here: %s.\nIf it was no report, with `public_reports: {vocabulary: [%s]}` there would be %d confident and %d suspect.\n",
		strings.Join(words, ", "), strings.Join(words, ", "), left[detect.ReadConfident], left[detect.ReadSuspect])
	return err
}

// An everyday word stands in so large a part of all issues, and in so many.
const (
	everydayShare = 50 // one in
	everydayLeast = 5
)

// everydayWords are words that made issues look like reports and stand in many others too.
func everydayWords(all, flagged []judged) []string {
	led := map[string]int{}
	for _, j := range flagged {
		for _, quote := range j.verdict.Why {
			for w := range wordsOf(quote) {
				led[w] = 0
			}
		}
	}
	for _, j := range all {
		for w := range wordsOf(j.Title.Reveal() + " " + j.Body.Reveal()) {
			if _, ok := led[w]; ok {
				led[w]++
			}
		}
	}
	maps.DeleteFunc(led, func(w string, n int) bool {
		return n < everydayLeast || n*everydayShare < len(all) || len(w) < 5
	})
	words := slices.Collect(maps.Keys(led))
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(-cmp.Compare(led[a], led[b]), cmp.Compare(a, b)) })
	return words[:min(5, len(words))]
}

func wordsOf(text string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		out[w] = true
	}
	return out
}
