package learn

import (
	"fmt"
	"strings"
)

// A Source is a file that was learnt from.
type Source struct {
	Name   string
	SHA256 string
	Issues int
}

// Table prints the figures in columns.
func (m *Model) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| figure | of | value | 95 %% interval | wanted |\n|---|---:|---:|---|---|\n")
	for _, f := range m.Figures() {
		fmt.Fprintf(&b, "| %s | %d | %.3f | %.3f to %.3f | %s |\n", f.Name, f.N, f.Result.Value, f.Result.Low, f.Result.High, f.Goal)
	}
	return b.String()
}

// WorstTable prints what the model is most wrong about.
func (m *Model) WorstTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | id | category | from | probability |\n|---|---|---|---|---:|\n")
	for _, c := range m.Worst(20) {
		what := map[bool]string{true: "missed", false: "alarm"}[c.Miss]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.4f |\n", what, c.ID, c.Category, c.Source, c.Probability)
	}
	return b.String()
}

// Card is the model card, in Markdown.
func (m *Model) Card(sources []Source) string {
	var b strings.Builder
	b.WriteString(`# The detector's model

Made by ` + "`go run ./cmd/heed-train`" + `, which writes this page and ` + "`pkg/detect/model.bin`" + `; do not edit. The same data give the same bytes
(on one architecture: others add in another order). It was trained on the issues below. Their texts are their authors' and are not here; what we
wrote ourselves for it is in [` + "`written`" + `](written).

## What it is

Four logistic regressions (report, request for a private channel, public CVE in a dependency, phishing) over the same features: what the phrases
of ` + "`pkg/detect/phrases*.go`" + ` add up to by group and in the title, which groups meet, the shape of the text, and words, how they start, pairs and
triples of words, and what the title starts with (hashed, title and code apart, divided by the root of their number so that length means nothing). One score joins the four: the odds of a
report or a request against those of everything else. Platt's method makes a probability of it, as if one issue in ` + fmt.Sprint(oneIn) + ` were to be redirected.

## Data

| file | issues | SHA-256 |
|---|---:|---|
`)
	for _, s := range sources {
		fmt.Fprintf(&b, "| %s | %d | `%s` |\n", s.Name, s.Issues, s.SHA256)
	}
	fmt.Fprintf(&b, `
Rules: vulnerability and contact-request are to be redirected; dependency-cve, spam and ordinary are not; ambiguous and unread ones with security
words teach nothing. Bodies are cut to %d bytes, the length of the excerpts that were labelled by hand. Issues of the stream are assumed to be
ordinary; the few of them that a first round takes for reports (score above %g) are not learnt from in the second, but stay among the ordinary
ones when alarms are counted, so the true number of alarms is lower than stated. Advisories weigh %g and Jira issues %g. What we wrote weighs %g
(reports), %g (ordinary) and %g (the rest) where reports are told, and %g elsewhere. Repositories with more than %.0f issues weigh the root of the
rest. Texts that are no issues have an intercept of their own, which is learnt with the others and left behind: how often they are reports says nothing.

## How good it is

Cross-validation in %d folds by repository: no issue is judged by a model that has seen its project. The threshold is that of one alarm in
1,000 everyday issues (%d of them, from %d repositories). Intervals draw repositories anew, %d times. The phrase lists were written by people
who had seen these issues, and weights and penalties were chosen by these figures, so expect somewhat less elsewhere.

`, excerpt, likely, advisory, jira, ours, oursCalm, oursRare, oursElse, perRepo, folds, len(m.pick(everyday)), repositories(m.pick(everyday)), resamples)
	b.WriteString(m.Table())
	b.WriteString("\nWhat the default thresholds of a policy come to:\n\n| probability | alarms per 1,000 | reports found (by hand) |\n|---:|---:|---:|\n")
	for _, p := range []float64{.6, .95} {
		alarms, found := m.At(p)
		fmt.Fprintf(&b, "| %.2f | %.2f | %.3f |\n", p, alarms, found)
	}
	b.WriteString("\nReliability: of the texts about which a probability was said, how many were to be redirected (weighted as above).\n\n| said | mean | came true | texts |\n|---|---:|---:|---:|\n")
	for _, r := range m.Reliability() {
		fmt.Fprintf(&b, "| %.2f to %.2f | %.3f | %.3f | %d |\n", r.From, r.To, r.Said, r.Was, r.N)
	}
	b.WriteString(`
## Known weaknesses

- Texts whose topic is security and that describe a hole without having one: training labs, lists of payloads, blog posts, security tools' own
  issues, announcements after a fix. It does not know what a project is about; ` + "`public_reports.vocabulary`" + ` and ` + "`not-security`" + ` are for that.
- Reports told in everyday words without any of the usual ones, and those that are only a title.
- Few of the labelled issues are not in English; other languages rest on phrases and on what we wrote.
- Spam was seen in one campaign only; other campaigns are known from what we wrote.

## What it is most wrong about

The twenty worst of both kinds, by id, so that the next person knows where to dig.

`)
	b.WriteString(m.WorstTable())
	return b.String()
}

func repositories(docs []*doc) int {
	seen := map[string]bool{}
	for _, d := range docs {
		seen[d.Repo] = true
	}
	return len(seen)
}
