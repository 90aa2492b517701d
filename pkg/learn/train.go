package learn

import (
	"math"
	"slices"
	"sync"

	"github.com/heed-app/heed/pkg/detect"
)

// What was chosen by hand, after cross-validation with others.
const (
	ridge    = 70.  // penalty of a dense coefficient
	spread   = .3   // of a gram's
	fewest   = 3    // issues that a gram stands in, to be one
	likely   = .5   // score from which on a text that is assumed ordinary is not learnt from
	perRepo  = 300. // issues of a repository count in full; of more, each counts less
	advisory = .01  // weights of what comes from elsewhere: advisories are told in another person
	jira     = .3
	ours     = .06 // of what we wrote: it should teach words, not how often something happens
	oursCalm = .3
	oursRare = .5
	oursElse = 2. // where a request, a CVE or phishing is to be told: of these issues have too few
)

// weight is what a text counts where class c is told from all others.
func (d *doc) weight(c detect.Class) float64 {
	w := 1.
	switch d.Kind {
	case Written:
		switch {
		case c != detect.Vulnerability:
			w = oursElse
		case d.class == detect.Vulnerability:
			w = ours
		case d.class == detect.Ordinary:
			w = oursCalm
		default:
			w = oursRare
		}
	case Auxiliary:
		w = advisory
		if d.class == detect.Ordinary {
			w = jira
		}
	case Labelled, Stream:
		if n := float64(d.many); n > perRepo && d.class == detect.Ordinary {
			w = math.Sqrt(perRepo / n)
		}
	}
	return w
}

// Where reports and requests are told, texts from elsewhere have features of their own that no issue has. What sets them
// apart as such - of what we wrote nearly half are reports - is learnt there, and left behind.
const (
	accents = 3
	accent  = 3. // their value: the larger, the less the penalty holds it back
)

func (d *doc) accent() (out [accents]float32) {
	switch {
	case d.Kind == Written:
		out[0] = accent
	case d.Kind == Auxiliary && d.class == detect.Ordinary:
		out[1] = accent
	case d.Kind == Auxiliary:
		out[2] = accent
	}
	return out
}

// heads are the classes that are learnt, in the order of the detector's.
func heads() [detect.Heads]detect.Class {
	return [detect.Heads]detect.Class{detect.Vulnerability, detect.ContactRequest, detect.DependencyCVE, detect.Spam}
}

// fitted is a model as it comes from the fit.
type fitted struct {
	columns map[uint32]int32 // gram → column
	x       [detect.Heads][]float64
}

// train learns from all but one fold; -1: from all.
func train(docs []*doc, without int) *fitted {
	var used []*doc
	for _, d := range docs {
		if d.known && !d.doubted && (without < 0 || d.fold != without) {
			used = append(used, d)
		}
	}
	t := &fitted{columns: columns(used)}
	points := make([]point, len(used))
	for j, d := range used {
		from := d.accent()
		points[j] = t.point(d.seen)
		points[j].dense = slices.Concat(points[j].dense, from[:])
	}
	var wg sync.WaitGroup
	for i, c := range heads() {
		wg.Go(func() {
			p := problem{points: slices.Clone(points), dense: detect.Dense, grams: len(t.columns), ridge: ridge, spread: spread}
			if c == detect.Vulnerability || c == detect.ContactRequest {
				p.dense += accents
			}
			for j, d := range used {
				q := &p.points[j]
				q.dense, q.weight = q.dense[:p.dense], d.weight(c)
				if d.class == c {
					q.target = 1
				}
			}
			t.x[i] = p.fit()
		})
	}
	wg.Wait()
	return t
}

// columns numbers the grams that stand in several texts.
func columns(docs []*doc) map[uint32]int32 {
	n := map[uint32]int{}
	for _, d := range docs {
		for _, g := range d.seen.Grams {
			n[g.Hash]++
		}
	}
	var keys []uint32
	for k, c := range n {
		if c >= fewest {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	out := make(map[uint32]int32, len(keys))
	for i, k := range keys {
		out[k] = int32(i)
	}
	return out
}

func (t *fitted) point(o *detect.Observation) point {
	p := point{dense: o.Dense[:], scale: 1 / detect.Length(len(o.Grams))}
	for _, g := range o.Grams {
		if c, ok := t.columns[g.Hash]; ok {
			p.grams = append(p.grams, c)
		}
	}
	return p
}

func (t *fitted) logits(o *detect.Observation) (z [detect.Heads]float64) {
	p := t.point(o)
	for h, x := range t.x {
		z[h] = x[len(x)-1]
		for j, v := range p.dense { // an issue has no accent
			z[h] += x[j] * float64(v)
		}
		for _, c := range p.grams {
			z[h] += t.gram(h, c) * p.scale
		}
	}
	return z
}

// gram gives the coefficient of a column: they stand behind those of the dense features, before the intercept.
func (t *fitted) gram(head int, column int32) float64 {
	x := t.x[head]
	return x[len(x)-1-len(t.columns)+int(column)]
}

// weights are the model as the detector reads it.
func (t *fitted) weights(c calibration) *detect.Weights {
	w := &detect.Weights{Grams: map[uint32][detect.Heads]float32{}, Slope: float32(c.slope), Offset: float32(c.offset)}
	for h, x := range t.x {
		for j := range detect.Dense {
			w.Dense[h][j] = float32(x[j])
		}
		w.Bias[h] = float32(x[len(x)-1])
	}
	for hash, c := range t.columns {
		var g [detect.Heads]float32
		for h := range g {
			g[h] = float32(t.gram(h, c))
		}
		w.Grams[hash] = g
	}
	return w
}

// calibration makes probabilities of scores.
type calibration struct{ slope, offset float64 }

func (c calibration) probability(score float64) float64 { return sigmoid(c.slope*score + c.offset) }

// oneIn is how many issues there are for one that should be redirected, where Heed is installed. In the
// stream it is one in several hundred, most of which nobody would have reported; a project that installs
// Heed is one that gets reports.
const oneIn = 100

// calibrate fits probabilities to scores of texts that the model had not seen, weighted as if one in
// so many were to be redirected. Source: Platt, Probabilistic outputs for support vector machines, 1999.
func calibrate(redirect, ordinary []*doc) calibration {
	p := problem{dense: 1}
	w := float64(len(ordinary)) / oneIn / max(1, float64(len(redirect)))
	for _, d := range redirect {
		p.points = append(p.points, point{dense: []float32{float32(d.score)}, target: 1, weight: w})
	}
	for _, d := range ordinary {
		p.points = append(p.points, point{dense: []float32{float32(d.score)}, weight: 1})
	}
	x := p.fit()
	return calibration{x[0], x[1]}
}
