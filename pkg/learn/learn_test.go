package learn

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/heed-app/heed/pkg/detect"
)

// small is a world of some repositories in which reports speak of one thing and other issues of others.
func small() (all []Issue) {
	texts := map[string][]string{
		"vulnerability":   {"the parser reads past the buffer of %d", "anybody can read the file %d of others", "the token of user %d is in the log"},
		"contact-request": {"where can I report something in private %d", "which address for a private report %d", "no private channel for reports %d"},
		"dependency-cve":  {"update library %d, it has a known number", "audit finds library %d", "scanner lists library %d"},
		"spam":            {"claim your prize %d now", "verify your account %d now", "your wallet %d is at risk"},
		"ordinary":        {"the button %d does nothing", "crash at start %d", "please translate page %d", "build fails on %d", "wrong colour %d"},
	}
	for _, label := range []string{"vulnerability", "contact-request", "dependency-cve", "spam", "ordinary"} {
		for i := range 20 {
			for k, text := range texts[label] {
				all = append(all, Issue{
					ID: fmt.Sprintf("%s-%d-%d", label, i, k), Repo: fmt.Sprintf("owner/repo%d", i), Label: label, Source: "hand",
					Category: "plain", Title: fmt.Sprintf(text, i), Body: strings.Repeat("word ", i),
				})
			}
		}
	}
	for i := range 400 {
		all = append(all, Issue{ID: fmt.Sprint("stream-", i), Repo: "owner/large", Label: "assumed-ordinary", Kind: Stream, Source: "corpus", Title: fmt.Sprintf("the menu %d does nothing", i)})
	}
	return all
}

// The same issues give the same bytes, and the model tells the classes of issues apart that it has not seen.
func TestLearn(t *testing.T) {
	t.Parallel()
	first, second := Learn(small()), Learn(small())
	if !bytes.Equal(first.Weights.Encode(), second.Weights.Encode()) {
		t.Error("the same issues gave other bytes")
	}
	if first.Card(nil) != second.Card(nil) {
		t.Error("the same issues gave another card")
	}
	for _, f := range first.Figures() {
		switch f.Name {
		case "reports found, labelled by hand", "contact requests found":
			if f.Result.Value < .9 || f.Result.Low > f.Result.Value || f.Result.High < f.Result.Value {
				t.Errorf("%s: %+v", f.Name, f.Result)
			}
		case "dependency CVEs redirected", "spam redirected":
			if f.Result.Value > .1 {
				t.Errorf("%s: %+v", f.Name, f.Result)
			}
		}
	}
	if w := first.Worst(3); len(w) != 6 || !w[0].Miss || w[5].Miss {
		t.Errorf("the worst are %v", w)
	}
}

// No issue is judged by a model that has seen its repository.
func TestRepositoriesStayTogether(t *testing.T) {
	t.Parallel()
	fold := map[string]int{}
	used := map[int]bool{}
	for _, d := range observe(small()) {
		if f, ok := fold[d.Repo]; ok && f != d.fold {
			t.Errorf("%s is in folds %d and %d", d.Repo, f, d.fold)
		}
		fold[d.Repo] = d.fold
		used[d.fold] = true
	}
	if len(used) < folds-1 {
		t.Errorf("only %d folds are used", len(used))
	}
}

func TestWhatIsLabelledIsNotTakenTwice(t *testing.T) {
	t.Parallel()
	n := 0
	for _, d := range observe([]Issue{{ID: "a", Label: "assumed-ordinary", Kind: Stream}, {ID: "a", Label: "vulnerability"}, {ID: "b", Label: "unreviewed-security-words", Kind: Stream}}) {
		if d.known {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of the three teach something, want the one that was read", n)
	}
}

// The fit finds the minimum: there the gradient is nothing.
func TestFit(t *testing.T) {
	t.Parallel()
	p := problem{dense: 2, grams: 1, ridge: .5, spread: 2}
	for i := range 40 {
		q := point{dense: []float32{float32(i%7) - 3, float32(i % 3)}, weight: 1 + float64(i%2), scale: .5}
		if i%4 == 0 {
			q.grams = []int32{0}
		}
		if i%7 > 3 {
			q.target = 1
		}
		p.points = append(p.points, q)
	}
	x := p.fit()
	g := make([]float64, len(x))
	p.loss(x, g)
	if n := math.Sqrt(dot(g, g)); n > .01 {
		t.Errorf("the gradient is %v, at %v", g, x)
	}
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	var docs []*doc
	for i := range 2000 {
		docs = append(docs, &doc{score: float64(i)})
	}
	if got := share(docs, threshold(docs, 1)) * 2000; got != 2 {
		t.Errorf("%g of 2000 are above the threshold of one in a thousand", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "short", strings.Repeat("ä", 400), strings.Repeat("word ", 200)} {
		if got := cut(s); len(got) > excerpt || !strings.HasPrefix(s, got) || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q was cut to %q", s, got)
		}
	}
}

func TestCurve(t *testing.T) {
	t.Parallel()
	docs := []*doc{
		{Issue: &Issue{}, class: detect.Vulnerability, score: 3},
		{Issue: &Issue{}, class: detect.Ordinary, score: 2},
		{Issue: &Issue{}, class: detect.ContactRequest, score: 1},
		{Issue: &Issue{}, class: detect.Ordinary, score: 0},
	}
	if area, f1 := curve(docs); math.Abs(area-(1+2./3)/2) > 1e-9 || math.Abs(f1-.8) > 1e-9 {
		t.Errorf("area %g, F1 %g", area, f1)
	}
}
