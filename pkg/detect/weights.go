package detect

import (
	_ "embed" // the model
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"
)

//go:embed model.bin
var learnt []byte

// theWeights stand apart from the phrases: who trains needs these and not yet those.
//
//nolint:gochecknoglobals // immutable, read once
var theWeights = sync.OnceValue(func() *weights {
	w, err := decode(learnt)
	if err != nil {
		panic(err) // it is part of the binary, and every test reads it
	}
	return w
})

// heads are the classes that the model knows; what is none of them is ordinary.
const (
	headReport = iota
	headContact
	headDependency
	headSpam
	Heads // how many there are
)

// Weights are what was learnt: log odds for each of the heads.
type Weights struct {
	Dense [Heads][Dense]float32
	Bias  [Heads]float32
	Grams map[uint32][Heads]float32
	// Slope and Offset make a calibrated probability of the log odds that a text is a report or a request.
	Slope, Offset float32
}

// magic begins the encoding; its last byte is the version.
const magic = "heed\x01"

// Encode writes weights in the form that Decode reads: the grams sorted, their weights in 255 steps.
func (w *Weights) Encode() []byte {
	var scales [Heads]float32
	for _, g := range w.Grams {
		for h, v := range g {
			scales[h] = max(scales[h], float32(math.Abs(float64(v)))/math.MaxInt8)
		}
	}
	b := []byte(magic)
	float := func(f float32) { b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f)) }
	b = binary.LittleEndian.AppendUint32(b, uint32(Dense))
	for h := range Heads {
		for _, v := range w.Dense[h] {
			float(v)
		}
		float(w.Bias[h])
		float(scales[h])
	}
	float(w.Slope)
	float(w.Offset)
	var keys []uint32
	steps := map[uint32][Heads]int8{}
	for k, g := range w.Grams {
		var s [Heads]int8
		for h, v := range g {
			if scales[h] > 0 {
				s[h] = int8(math.Round(float64(v / scales[h])))
			}
		}
		if s != [Heads]int8{} {
			steps[k] = s
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(keys))) //nolint:gosec // some hundred thousand
	for _, k := range keys {
		b = binary.LittleEndian.AppendUint32(b, k)
		for _, s := range steps[k] {
			b = append(b, byte(s)) //nolint:gosec // bits
		}
	}
	return b
}

// weights are Weights made for reading: the grams in a table with open places.
type weights struct {
	dense         [Heads][Dense]float32
	bias, scale   [Heads]float32
	slope, offset float32
	keys          []uint32 // 0: a free place
	steps         [][Heads]int8
	mask          uint32
}

var errModel = errors.New("detect: the model does not fit this version")

// decode reads what Encode wrote.
func decode(b []byte) (*weights, error) {
	if len(b) < len(magic)+4 || string(b[:len(magic)]) != magic || binary.LittleEndian.Uint32(b[len(magic):]) != uint32(Dense) {
		return nil, errModel
	}
	b = b[len(magic)+4:]
	const floats = Heads*(Dense+2) + 2
	if len(b) < 4*floats+4 {
		return nil, errModel
	}
	float := func() float32 {
		f := math.Float32frombits(binary.LittleEndian.Uint32(b))
		b = b[4:]
		return f
	}
	w := &weights{}
	for h := range Heads {
		for i := range w.dense[h] {
			w.dense[h][i] = float()
		}
		w.bias[h], w.scale[h] = float(), float()
	}
	w.slope, w.offset = float(), float()
	n := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	const size = 4 + Heads
	if len(b) != n*size {
		return nil, errModel
	}
	places := 1
	for places < 2*n {
		places *= 2
	}
	w.keys, w.steps, w.mask = make([]uint32, places), make([][Heads]int8, places), uint32(places-1) //nolint:gosec // a power of two
	for ; len(b) > 0; b = b[size:] {
		k := binary.LittleEndian.Uint32(b)
		i := k & w.mask
		for w.keys[i] != 0 {
			i = (i + 1) & w.mask
		}
		w.keys[i] = k
		for h := range Heads {
			w.steps[i][h] = int8(b[4+h]) //nolint:gosec // as it was written
		}
	}
	return w, nil
}

// gram gives the steps of a gram; false: it has none.
func (w *weights) gram(hash uint32) ([Heads]int8, bool) {
	for i := hash & w.mask; w.keys[i] != 0; i = (i + 1) & w.mask {
		if w.keys[i] == hash {
			return w.steps[i], true
		}
	}
	return [Heads]int8{}, false
}

// Length is what the weights of so many grams are divided by: long texts say more, and mean no more.
func Length(grams int) float64 { return math.Sqrt(max(30, float64(grams))) }

// logits gives the log odds of each head.
func (w *weights) logits(o *Observation) (z [Heads]float64) {
	var sums [Heads]int
	for _, g := range o.Grams {
		if s, ok := w.gram(g.Hash); ok {
			for h, v := range s {
				sums[h] += int(v)
			}
		}
	}
	length := Length(len(o.Grams))
	for h := range Heads {
		z[h] = float64(w.bias[h]) + float64(sums[h])*float64(w.scale[h])/length
	}
	for i, v := range o.Dense {
		if v != 0 {
			for h := range Heads {
				z[h] += float64(w.dense[h][i]) * float64(v)
			}
		}
	}
	return z
}

// Score joins the log odds of the heads to those of a text that should be redirected: a report or a
// request for a channel, against everything else. A hole that is public already, and phishing, are
// reasons against it.
func Score(z [Heads]float64) float64 {
	odds := func(h int) float64 { return math.Exp(min(max(z[h], -30), 30)) }
	return math.Log(odds(headReport)+odds(headContact)) - math.Log1p(odds(headDependency)+odds(headSpam))
}

// probability that the text should be redirected.
func (w *weights) probability(z [Heads]float64) float64 {
	return 1 / (1 + math.Exp(-(float64(w.slope)*Score(z) + float64(w.offset))))
}
