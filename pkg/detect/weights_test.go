package detect

import (
	"math"
	"testing"
)

// What is written is read again, in steps of one in 127.
func TestWeightsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	w := &Weights{Grams: map[uint32][Heads]float32{7: {1, -2, .5, 0}, 8: {.25, 0, 0, -1}, 9: {}}, Slope: 2, Offset: -1}
	for h := range Heads {
		w.Bias[h] = float32(h)
		for i := range w.Dense[h] {
			w.Dense[h][i] = float32(i) / 7
		}
	}
	b := w.Encode()
	got, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.dense != w.Dense || got.bias != w.Bias || got.slope != 2 || got.offset != -1 {
		t.Error("other numbers came back")
	}
	for hash, want := range w.Grams {
		steps, _ := got.gram(hash)
		for h := range Heads {
			if v := float64(steps[h]) * float64(got.scale[h]); math.Abs(v-float64(want[h])) > .01 {
				t.Errorf("gram %d of head %d is %g, want %g", hash, h, v, want[h])
			}
		}
	}
	if _, ok := got.gram(10); ok {
		t.Error("a gram that nobody wrote")
	}
	for n := range len(b) {
		if _, err := decode(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes were taken for a model", n, len(b))
		}
	}
}

// The figures of the issue: the model is small, and quickly there.
func TestTheModelIsSmall(t *testing.T) {
	t.Parallel()
	if n := len(learnt); n > 8<<20 {
		t.Errorf("the model has %d bytes", n)
	}
	if _, err := decode(learnt); err != nil {
		t.Error(err)
	}
}

func BenchmarkWeights(b *testing.B) {
	for b.Loop() {
		if _, err := decode(learnt); err != nil {
			b.Fatal(err)
		}
	}
}

// Words that mean nothing in a project lead to nothing there, in any spelling; other words still do.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	r := For([]string{"attack", "Vulnerable", "nonce"})
	const title, body = "Explain the nonce reuse attack", "The docs should say which modes are vulnerable to attacks when a nonce is used twice."
	loud, quiet := Read(title, body), r.Read(title, body)
	if quiet.Probability >= loud.Probability || quiet.Probability >= suspect {
		t.Errorf("%.3f with the words, %.3f without them: %q", loud.Probability, quiet.Probability, quiet.Why)
	}
	for _, why := range quiet.Why {
		if why == "nonce reuse" || why == "attack" || why == "vulnerable" {
			t.Errorf("%q led to it", why)
		}
	}
	if v := r.Read(clearTitle, clearBody); v.Probability < confident {
		t.Errorf("a clear report is read as %.3f %q", v.Probability, v.Why)
	}
	if For(nil).mute != nil {
		t.Error("no vocabulary costs something")
	}
}

// Probabilities are ordered as scores are, whatever the heads say.
func TestScore(t *testing.T) {
	t.Parallel()
	even := [Heads]float64{}
	for h, up := range map[int]bool{headReport: true, headContact: true, headDependency: false, headSpam: false} {
		z := even
		z[h] = 2
		if (Score(z) > Score(even)) != up {
			t.Errorf("head %d moves the score to %g from %g", h, Score(z), Score(even))
		}
		z[h] = 1e6
		if s := Score(z); math.IsNaN(s) || math.IsInf(s, 0) {
			t.Errorf("head %d makes it %g", h, s)
		}
	}
}
