package learn

import (
	"cmp"
	"math"
	"slices"

	"github.com/heed-app/heed/pkg/detect"
)

// A Model is the result: what goes into the binary, and how good it is.
type Model struct {
	Weights *detect.Weights
	docs    []*doc
	cal     calibration
}

// Learn cross-validates, calibrates with what came of that, and trains on all.
func Learn(all []Issue) *Model {
	docs := observe(all)
	judge(docs)
	for _, d := range docs { // among the thousands that nobody read are some reports
		d.doubted = d.Kind == Stream && d.Label == "assumed-ordinary" && d.score > likely
	}
	judge(docs)
	m := &Model{docs: docs}
	m.cal = calibrate(m.pick(toRedirect), m.pick(everyday))
	m.Weights = train(docs, -1).weights(m.cal)
	return m
}

// judge gives each issue the score of a model that has not seen its repository.
func judge(docs []*doc) {
	for f := range folds {
		t := train(docs, f)
		for _, d := range docs {
			if d.fold == f {
				d.logit = t.logits(d.seen)
				d.score = detect.Score(d.logit)
			}
		}
	}
}

// pick chooses among those that were judged and are known.
func (m *Model) pick(f func(*doc) bool) (out []*doc) {
	for _, d := range m.docs {
		if d.fold >= 0 && d.known && f(d) {
			out = append(out, d)
		}
	}
	return out
}

func both(a, b func(*doc) bool) func(*doc) bool { return func(d *doc) bool { return a(d) && b(d) } }

func is(c detect.Class) func(*doc) bool { return func(d *doc) bool { return d.class == c } }

func byHand(d *doc) bool { return d.Source == "hand" }

func labelled(d *doc) bool { return d.Kind == Labelled }

func toRedirect(d *doc) bool {
	return labelled(d) && (d.class == detect.Vulnerability || d.class == detect.ContactRequest)
}

// everyday are ordinary issues in their natural mix: not those that were looked for because they are hard.
func everyday(d *doc) bool { return d.class == detect.Ordinary && !byHand(d) }

// hard are ordinary issues with the words of reports.
func hard(d *doc) bool {
	return labelled(d) && d.class == detect.Ordinary && (byHand(d) || d.Category != "plain")
}

// threshold is the score above which are so many of a thousand issues.
func threshold(docs []*doc, perThousand float64) float64 {
	s := make([]float64, len(docs))
	for i, d := range docs {
		s[i] = d.score
	}
	slices.Sort(s)
	return s[max(0, len(s)-1-int(perThousand*float64(len(s))/1000))]
}

// share is how many are above a threshold.
func share(docs []*doc, t float64) float64 {
	n := 0
	for _, d := range docs {
		if d.score > t {
			n++
		}
	}
	return float64(n) / max(1, float64(len(docs)))
}

// curve is the area under precision and recall, and the best F1.
func curve(docs []*doc) (area, f1 float64) {
	s := slices.Clone(docs)
	slices.SortStableFunc(s, func(a, b *doc) int { return -cmp.Compare(a.score, b.score) })
	all := 0
	for _, d := range s {
		if toRedirect(d) {
			all++
		}
	}
	found := 0
	for i, d := range s {
		if !toRedirect(d) {
			continue
		}
		found++
		p, r := float64(found)/float64(i+1), float64(found)/float64(all)
		area += p / float64(all)
		f1 = max(f1, 2*p*r/(p+r))
	}
	return area, f1
}

// An Interval is a figure with what it could as well have been.
type Interval struct{ Value, Low, High float64 }

// resamples is how often repositories are drawn anew for an interval.
const resamples = 400

// interval gives the middle 95 of 100 values of a figure when repositories, not issues, are drawn anew:
// issues of one project are alike. Source: Efron's bootstrap, by clusters.
func interval(docs []*doc, figure func([]*doc) float64) Interval {
	groups, names := map[string][]*doc{}, []string(nil)
	for _, d := range docs {
		if groups[d.Repo] == nil {
			names = append(names, d.Repo)
		}
		groups[d.Repo] = append(groups[d.Repo], d)
	}
	out := Interval{Value: figure(docs)}
	if len(names) == 0 {
		return out
	}
	chance := uint64(1)
	values := make([]float64, resamples)
	for i := range values {
		var drawn []*doc
		for range names {
			chance = chance*6364136223846793005 + 1442695040888963407 // Knuth's generator: the same every time
			drawn = append(drawn, groups[names[(chance>>33)%uint64(len(names))]]...)
		}
		values[i] = figure(drawn)
	}
	slices.Sort(values)
	out.Low, out.High = values[resamples*25/1000], values[resamples*975/1000]
	return out
}

// A Figure is one line of the model card.
type Figure struct {
	Name   string
	N      int
	Goal   string
	Result Interval
}

// Figures are what the model is judged by.
func (m *Model) Figures() []Figure {
	t := threshold(m.pick(everyday), 1)
	above := func(docs []*doc) float64 { return share(docs, t) }
	line := func(name, goal string, f func([]*doc) float64, who func(*doc) bool) Figure {
		docs := m.pick(who)
		return Figure{name, len(docs), goal, interval(docs, f)}
	}
	report := both(labelled, is(detect.Vulnerability))
	hand := both(labelled, byHand)
	category := func(names ...string) func(*doc) bool {
		return both(report, func(d *doc) bool { return slices.Contains(names, d.Category) })
	}
	area := func(docs []*doc) float64 { a, _ := curve(docs); return a }
	f1 := func(docs []*doc) float64 { _, f := curve(docs); return f }
	return []Figure{
		line("reports found, labelled by hand", ">= 0.85", above, both(report, byHand)),
		line("reports found, all", "", above, report),
		line("hard ordinary issues flagged, all", "<= 0.05", above, hard),
		line("hard ordinary issues flagged, labelled by hand", "<= 0.05", above, both(hard, byHand)),
		line("area under precision and recall, labelled by hand", ">= 0.92", area, hand),
		line("area under precision and recall, all labelled", "", area, labelled),
		line("best F1, labelled by hand", ">= 0.86", f1, hand),
		line("best F1, all labelled", "", f1, labelled),
		line("contact requests found", ">= 0.90", above, is(detect.ContactRequest)),
		line("dependency CVEs redirected", "<= 0.05", above, is(detect.DependencyCVE)),
		line("crypto misuse found", ">= 0.70", above, category("crypto")),
		line("broken access control found", ">= 0.70", above, category("auth")),
		line("secrets found", ">= 0.70", above, category("secret-leak")),
		line("spam redirected", "0", above, is(detect.Spam)),
	}
}

// A Case is an issue that the model is wrong about.
type Case struct {
	ID, Category, Source string
	Miss                 bool
	Probability          float64
}

// Worst lists the reports that look most ordinary, and the ordinary issues that look most like reports.
func (m *Model) Worst(each int) (out []Case) {
	misses := m.pick(both(labelled, is(detect.Vulnerability)))
	alarms := m.pick(is(detect.Ordinary))
	slices.SortStableFunc(misses, func(a, b *doc) int { return cmp.Compare(a.score, b.score) })
	slices.SortStableFunc(alarms, func(a, b *doc) int { return -cmp.Compare(a.score, b.score) })
	for i, docs := range [][]*doc{misses, alarms} {
		for _, d := range docs[:min(each, len(docs))] {
			out = append(out, Case{d.ID, d.Category, d.Source, i == 0, m.cal.probability(d.score)})
		}
	}
	return out
}

// A Bin is one step of the reliability diagram.
type Bin struct {
	From, To, Said, Was float64 // probabilities: of the bin, the mean of what was said, what came true
	N                   int
}

// Reliability compares what was said with what came true, with reports weighted as they are for the calibration.
func (m *Model) Reliability() (out []Bin) {
	yes, no := m.pick(toRedirect), m.pick(everyday)
	w := float64(len(no)) / oneIn / max(1, float64(len(yes)))
	edges := []float64{0, .01, .05, .2, .4, .6, .8, .95, 1.000001}
	for i := range len(edges) - 1 {
		b := Bin{From: edges[i], To: math.Min(1, edges[i+1])}
		var sum, total, hits float64
		for k, docs := range [][]*doc{yes, no} {
			weight := map[int]float64{0: w, 1: 1}[k]
			for _, d := range docs {
				if p := m.cal.probability(d.score); p >= edges[i] && p < edges[i+1] {
					b.N++
					total += weight
					sum += weight * p
					if k == 0 {
						hits += weight
					}
				}
			}
		}
		if total > 0 {
			b.Said, b.Was = sum/total, hits/total
			out = append(out, b)
		}
	}
	return out
}

// At says what a policy's threshold comes to: alarms among a thousand everyday issues, and the share of reports found.
func (m *Model) At(probability float64) (alarms, found float64) {
	t := (math.Log(probability/(1-probability)) - m.cal.offset) / m.cal.slope
	return 1000 * share(m.pick(everyday), t), share(m.pick(both(labelled, both(is(detect.Vulnerability), byHand))), t)
}
