package detect

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The lines that policies draw by default; the classes are cut along the same ones.
const (
	confident = 0.95
	suspect   = 0.60
)

const (
	groupLimit  = 6  // what one group can add up to
	further     = .4 // what the second and later phrases of a group count, beside the strongest
	whyPhrases  = 5
	whyBytes    = 80
	shortestWhy = 8 // bytes of other words that are quoted
)

// Read says what a text is about. It reads titles and bodies up to 64 KiB, in time linear in their length, and gives the
// same verdict for the same text always.
func Read(title, body string) Verdict { return Reader{}.Read(title, body) }

// A Reader reads the texts of one project.
type Reader struct {
	mute map[string]bool
}

// For gives the reader of a project in which some words mean nothing: what a cryptographer calls an attack all day long.
// Phrases that contain such a word are not seen.
func For(vocabulary []string) Reader {
	if len(vocabulary) == 0 {
		return Reader{}
	}
	r := Reader{mute: map[string]bool{}}
	for _, text := range vocabulary {
		scan(text, true, theModel().folds, muting(r.mute))
	}
	return r
}

// muting collects the words of a vocabulary as the scanner sees them.
type muting map[string]bool

func (m muting) word(w []byte, _ section, _, _ int) {
	if len(w) > 0 && !article(w) {
		m[string(w)] = true
	}
}

func (muting) stop() {}

// Read is like the function of that name.
func (r Reader) Read(title, body string) Verdict {
	w := theWeights()
	k := theModel().matcher()
	defer k.release()
	k.mute = r.mute
	k.read(title, body)
	o := k.observe()
	z := w.logits(&o)
	v := Verdict{Class: classOf(z), Probability: w.probability(z)}
	if v.Class == Ordinary && v.Probability >= suspect {
		v.Class = Vulnerability
	}
	v.Why = k.why(title, body, v.Class, w)
	return v
}

// classOf names the class with the best odds, if they are better than even. Reports are told from ordinary texts by their
// probability, not here: what is a report but for doubt is ordinary.
func classOf(z [Heads]float64) Class {
	best := headReport
	for h := range Heads {
		if z[h] > z[best] {
			best = h
		}
	}
	if best == headReport || z[best] < 0 {
		return Ordinary
	}
	return [Heads]Class{Ordinary, ContactRequest, DependencyCVE, Spam}[best]
}

func clip(s string) string {
	if len(s) > maxRead {
		return s[:maxRead]
	}
	return s
}

// features are what the score looks at: what each group adds up to, and its strongest phrase in the title.
type features struct {
	sum   [groups]float64
	title [groups]float64
}

func (k *matcher) features() features {
	var f features
	var top [groups]float64
	for _, id := range k.touched {
		u, b := k.m.byID[id], k.best[id]
		v := float64(b.value)
		f.sum[u.group] += v
		top[u.group] = max(top[u.group], v)
		if b.title {
			f.title[u.group] = max(f.title[u.group], float64(u.weight))
		}
	}
	for g := range f.sum {
		f.sum[g] = min(top[g]+further*(f.sum[g]-top[g]), groupLimit)
	}
	return f
}

// story is what only somebody who has seen the hole can tell.
func (f *features) story() float64 {
	return f.sum[gAttacker] + f.sum[gImpact] + f.sum[gMech] + f.sum[gPoC] + f.sum[gPayload]
}

// speaks says whether a phrase of group g led to class c.
func speaks(g group, c Class) bool {
	switch c {
	case Vulnerability, Ordinary: // an ordinary text shows what made us hesitate
		return g != gShadow && g <= gSecret
	case ContactRequest:
		return g == gContact || g == gGeneric
	case DependencyCVE:
		return g == gPublic || g == gDepend
	case Spam:
		return g == gSpam
	}
	return false
}

// why quotes what led to the class: the strongest phrases, then the strongest of other words, each piece of text once.
func (k *matcher) why(title, body string, c Class, w *weights) []string {
	var phrases, grams []found
	head := map[Class]int{Vulnerability: headReport, Ordinary: headReport, ContactRequest: headContact, DependencyCVE: headDependency, Spam: headSpam}[c]
	for _, id := range k.touched {
		if u, b := k.m.byID[id], k.best[id]; speaks(u.group, c) {
			b.value *= max(.1, w.dense[head][2*u.group])
			phrases = append(phrases, b)
		}
	}
	for _, g := range k.grams {
		if s, ok := w.gram(g.Hash); ok && s[head] > 0 && g.To-g.From >= shortestWhy {
			grams = append(grams, found{float32(s[head]), g.From, g.To, g.Title})
		}
	}
	strongest := func(a, b found) int {
		return cmp.Or(-cmp.Compare(a.value, b.value), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	}
	slices.SortFunc(phrases, strongest)
	slices.SortFunc(grams, strongest)
	if c == Ordinary { // what made us hesitate is in the phrases; single words would say nothing
		grams = nil
	}
	var (
		out    []string
		quoted []found
	)
	for _, b := range append(phrases, grams...) {
		text := body
		if b.title {
			text = title
		}
		quote := quotation(text[b.from:b.to])
		again := slices.ContainsFunc(quoted, func(q found) bool { return q.title == b.title && b.from < q.to && q.from < b.to })
		if again || slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, quote) }) {
			continue
		}
		if out, quoted = append(out, quote), append(quoted, b); len(out) == whyPhrases {
			break
		}
	}
	return out
}

// quotation makes a piece of text fit for one line.
func quotation(s string) string {
	if len(s) > whyBytes {
		s = s[:whyBytes]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		s = s[:max(0, len(s)-1)] + "…"
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
}
