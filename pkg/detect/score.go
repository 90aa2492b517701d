package detect

import (
	"cmp"
	"math"
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
	groupLimit = 6  // what one group can add up to
	further    = .4 // what the second and later phrases of a group count, beside the strongest
	whyPhrases = 5
	whyBytes   = 80
)

// Read says what a text is about. It reads titles and bodies up to 64 KiB, in time linear in their length, and gives the
// same verdict for the same text always.
func Read(title, body string) Verdict {
	m := theModel()
	k := newMatcher(m)
	title, body = clip(title), clip(body)
	k.inTitle = true
	scan(title, true, m.folds, k)
	k.inTitle = false
	scan(body, false, m.folds, k)

	f := k.features()
	class, p := f.verdict()
	return Verdict{Class: class, Probability: p, Why: k.why(title, body, class)}
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
	for _, uses := range k.m.uses {
		for _, u := range uses {
			b := k.best[u.id]
			if b.value == 0 {
				continue
			}
			v := float64(b.value)
			f.sum[u.group] += v
			top[u.group] = max(top[u.group], v)
			if b.title {
				f.title[u.group] = max(f.title[u.group], float64(u.weight))
			}
		}
	}
	for g := range f.sum {
		f.sum[g] = min(top[g]+further*(f.sum[g]-top[g]), groupLimit)
	}
	return f
}

// A coefficient turns a group into evidence, in log odds per unit.
type coefficient struct{ sum, title float64 }

// coefficients stem from a logistic regression over 142 reports and 22,000 other issues; then they were rounded, and lowered
// where the data owe more to a few projects than to the matter.
func coefficients() [groups]coefficient {
	return [groups]coefficient{
		gType:     {.75, .9},
		gWeak:     {1, .6},
		gMemory:   {1, 1},
		gSecret:   {1.25, .7},
		gGeneric:  {.95, .45},
		gAttacker: {1.25, 0},
		gImpact:   {.9, .2},
		gMech:     {.65, .2},
		gPoC:      {.6, 0},
		gPayload:  {.5, 0},
		gForm:     {.6, 0},
		gCrafted:  {.55, 0},

		gImperative: {-1, 0},
		gFeature:    {-.25, -.3},
		gTool:       {-.4, -.6}, // lessons and scanners speak of nothing but holes
		gFixed:      {-1, -.3},
		gNot:        {-.6, -.5},
		gBug:        {-.4, 0},
		gSpam:       {-.2, 0},
	}
}

const (
	prior     = -6.1 // one report in some 700 issues
	together  = .32  // who does what how, and the proof: worth more than its parts
	togetherM = 9
)

// logit is the log odds that the text describes a hole.
func (f *features) logit() float64 {
	z := prior
	for g, c := range coefficients() {
		z += c.sum*f.sum[g] + c.title*f.title[g]
	}
	z += together * min(f.story(), togetherM)
	// A hole that has a number or that a scanner names belongs to somebody else, unless the text tells how it is used here.
	if f.sum[gPublic] > 0 && f.sum[gDepend] >= 1.5 {
		own := max(0, 1-(f.sum[gMech]+f.sum[gPayload]+f.sum[gPoC])/6)
		z -= own * (1.3*min(f.sum[gPublic], 5) + .7*min(f.sum[gDepend], 4))
	}
	return z
}

// story is what only somebody who has seen the hole can tell.
func (f *features) story() float64 {
	return f.sum[gAttacker] + f.sum[gImpact] + f.sum[gMech] + f.sum[gPoC] + f.sum[gPayload]
}

// mayBeSure says whether the evidence is of a sort that may blank an issue: several sorts of it, a story to go with the name
// of the hole, and no title that announces work or asks.
func (f *features) mayBeSure() bool {
	n := 0
	name := f.sum[gType] + f.sum[gMemory] + f.sum[gSecret] + f.sum[gWeak]
	for _, v := range []float64{
		name, f.sum[gGeneric], f.sum[gAttacker], f.sum[gImpact], f.sum[gMech], f.sum[gPoC] + f.sum[gPayload], f.sum[gForm], f.sum[gCrafted],
	} {
		if v >= 1 {
			n++
		}
	}
	told := f.story() + f.sum[gCrafted] + max(0, f.sum[gGeneric]-1) + max(0, f.sum[gForm]-1)
	return (n >= 3 || n == 2 && name >= 1) && told >= 1.5 && f.sum[gImperative] == 0
}

// verdict names the class. The order matters: phishing borrows the words of reports, and a request for a channel says what
// it would report.
func (f *features) verdict() (Class, float64) {
	z := f.logit()
	if !f.mayBeSure() {
		z = min(z, 2.4) // below confident
	}
	p := 1 / (1 + math.Exp(-z))
	// Details outweigh the wish for a channel: a text that has them must not pass for a polite question.
	detail := f.sum[gType] + f.sum[gMemory] + f.sum[gSecret] + f.sum[gMech] + f.sum[gPayload] + f.sum[gImpact] + f.sum[gAttacker]
	about := f.sum[gGeneric] + f.sum[gType] + f.title[gForm]
	switch {
	case f.sum[gSpam] >= 4 && (f.sum[gLink] > 0 || f.sum[gSpam] >= 5.5) && f.sum[gMech]+f.sum[gPayload] < 2 && f.sum[gSpam] > detail:
		return Spam, min(p, .2)
	case f.sum[gContact] >= 4 && about >= 1 && f.sum[gContact] > 1.2*detail:
		return ContactRequest, min(max(p, .3), .55)
	case p >= suspect:
		return Vulnerability, p
	case f.sum[gPublic] >= 2 && (f.sum[gDepend] > 0 || f.title[gPublic] > 0) && f.sum[gNot]+f.sum[gTool] < 4:
		return DependencyCVE, p
	}
	return Ordinary, p
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

// why quotes the strongest phrases that led to the class, each piece of text once.
func (k *matcher) why(title, body string, c Class) []string {
	var list []found
	coefficient := coefficients()
	for _, uses := range k.m.uses {
		for _, u := range uses {
			if b := k.best[u.id]; b.value > 0 && speaks(u.group, c) {
				if w := coefficient[u.group].sum; w > 0 {
					b.value *= float32(w)
				}
				list = append(list, b)
			}
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(-cmp.Compare(a.value, b.value), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var out []string
	for _, b := range list {
		text := body
		if b.title {
			text = title
		}
		quote := quotation(text[b.from:b.to])
		if !slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, quote) }) {
			out = append(out, quote)
		}
		if len(out) == whyPhrases {
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
