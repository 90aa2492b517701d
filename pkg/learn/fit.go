package learn

import "math"

// A point is one text as a classifier sees it.
type point struct {
	dense  []float32
	grams  []int32 // columns
	scale  float64 // of each gram
	target float64 // 1: of the class
	weight float64
}

// problem is a logistic regression with a penalty on the squares of the coefficients.
type problem struct {
	points        []point
	dense, grams  int
	ridge, spread float64 // penalty of a dense coefficient, of a gram's
}

// A step is one that was taken: where to, and how the gradient changed.
type step struct {
	s, y []float64
	rho  float64
}

const (
	remembered = 10   // steps, to guess the curvature from
	rounds     = 100  // at most
	steady     = 1e-7 // of the value: smaller changes end it
)

// fit minimises the loss by L-BFGS, which needs no chance and no rate of learning. The last coefficient is
// the intercept, which has no penalty. Source: Nocedal and Wright, Numerical Optimization, algorithm 7.5.
func (p *problem) fit() []float64 {
	n := p.dense + p.grams + 1
	x, g := make([]float64, n), make([]float64, n)
	value := p.loss(x, g)
	var past []step
	for range rounds {
		d := direction(g, past)
		slope := -dot(g, d)
		if slope > -1e-12 {
			break
		}
		length := 1.0
		if len(past) == 0 {
			length = 1 / max(1, math.Sqrt(dot(g, g)))
		}
		next, ng, nv := p.search(x, d, value, slope, length)
		s, y := minus(next, x), minus(ng, g)
		if sy := dot(s, y); sy > 1e-12 {
			past = append(past, step{s, y, 1 / sy})
			past = past[max(0, len(past)-remembered):]
		}
		done := value-nv < steady*max(1, math.Abs(value))
		x, g, value = next, ng, nv
		if done {
			break
		}
	}
	return x
}

// direction is the gradient, bent by what the last steps tell of the curvature.
func direction(g []float64, past []step) []float64 {
	d := make([]float64, len(g))
	copy(d, g)
	alpha := make([]float64, len(past))
	for i := len(past) - 1; i >= 0; i-- {
		alpha[i] = past[i].rho * dot(past[i].s, d)
		add(d, past[i].y, -alpha[i])
	}
	if len(past) > 0 {
		last := past[len(past)-1]
		scale(d, 1/(last.rho*dot(last.y, last.y)))
	}
	for i, q := range past {
		add(d, q.s, alpha[i]-q.rho*dot(q.y, d))
	}
	return d
}

// search halves the step until it leads down far enough.
func (p *problem) search(x, d []float64, value, slope, length float64) (next, gradient []float64, at float64) {
	next, gradient = make([]float64, len(x)), make([]float64, len(x))
	for range 30 {
		copy(next, x)
		add(next, d, -length)
		if at = p.loss(next, gradient); at <= value+1e-4*length*slope {
			break
		}
		length /= 2
	}
	return next, gradient, at
}

// loss gives the value at x, and the gradient.
func (p *problem) loss(x, gradient []float64) float64 {
	bias := len(x) - 1
	clear(gradient)
	value := 0.0
	for i := range p.points {
		q := &p.points[i]
		z := x[bias]
		for j, v := range q.dense {
			z += x[j] * float64(v)
		}
		sum := 0.0
		for _, c := range q.grams {
			sum += x[p.dense+int(c)]
		}
		z += sum * q.scale
		margin := z
		if q.target < .5 {
			margin = -z
		}
		value += q.weight * softplus(-margin)
		r := q.weight * (sigmoid(z) - q.target)
		for j, v := range q.dense {
			gradient[j] += r * float64(v)
		}
		rs := r * q.scale
		for _, c := range q.grams {
			gradient[p.dense+int(c)] += rs
		}
		gradient[bias] += r
	}
	for j := range bias {
		k := p.spread
		if j < p.dense {
			k = p.ridge
		}
		value += k / 2 * x[j] * x[j]
		gradient[j] += k * x[j]
	}
	return value
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

func softplus(z float64) float64 {
	if z > 30 {
		return z
	}
	return math.Log1p(math.Exp(z))
}

func dot(a, b []float64) (s float64) {
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func add(a, b []float64, k float64) {
	for i, v := range b {
		a[i] += k * v
	}
}

func scale(a []float64, k float64) {
	for i := range a {
		a[i] *= k
	}
}

func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = v - b[i]
	}
	return out
}
