package detect

import (
	"math"
	"strings"
	"unicode/utf8"
)

const (
	// Dense is how many features besides grams a text has: each group's sum and its place in the title,
	// each pair of groups that tell of a hole, each such with one that calms, and marks of the text as a whole.
	Dense = 2*int(groups) + len(pairing)*(len(pairing)-1)/2 + len(pairing)*len(calming) + marks
	marks = 12
)

// pairing lists the groups that mean more together than by themselves.
var pairing = [...]group{gType, gWeak, gGeneric, gAttacker, gImpact, gPoC, gPayload, gForm, gMemory, gCrafted, gMech, gSecret} //nolint:gochecknoglobals // a constant that Go cannot write

// calming lists the groups that take from what others tell, the more the louder those are: in an announcement or a
// lesson the names of holes mean nothing.
var calming = [...]group{gImperative, gFeature, gTool, gFixed, gNot, gBug, gPublic, gDepend} //nolint:gochecknoglobals // a constant that Go cannot write

// An Observation is what the model sees of a text: features with names, and hashed grams.
type Observation struct {
	Dense [Dense]float32
	Grams []Gram
}

// A Gram is up to three words that stand together somewhere in a text, wherever that is the first time.
type Gram struct {
	Hash     uint32
	From, To int32 // bytes of the title or the body
	Title    bool
}

// Observe reads a text for the one who trains.
func Observe(title, body string) *Observation {
	k := theModel().matcher()
	defer k.release()
	k.read(title, body)
	o := k.observe()
	o.Grams = append([]Gram(nil), o.Grams...)
	return &o
}

// observe gives what was read. The grams are the matcher's.
func (k *matcher) observe() Observation {
	var o Observation
	f := k.features()
	at := 0
	for g := range groups {
		o.Dense[at], o.Dense[at+1] = float32(f.sum[g]), float32(f.title[g])
		at += 2
	}
	for i, a := range pairing {
		for _, others := range [][]group{pairing[i+1:], calming[:]} {
			for _, b := range others {
				o.Dense[at] = float32(math.Sqrt(min(f.sum[a], 4) * min(f.sum[b], 4)))
				at++
			}
		}
	}
	sorts := 0
	for _, g := range pairing {
		if f.sum[g] >= 1 {
			sorts++
		}
	}
	yes := func(is bool) float32 {
		if is {
			return 1
		}
		return 0
	}
	// A hole that has a number or that a scanner names belongs to somebody else, unless the text tells how it is used here.
	own := max(0, 1-(f.sum[gMech]+f.sum[gPayload]+f.sum[gPoC])/6)
	foreign := yes(f.sum[gPublic] > 0 && f.sum[gDepend] >= 1.5)
	for _, v := range [marks]float32{
		float32(min(f.story(), 9)), float32(sorts), foreign * float32(own*min(f.sum[gPublic], 5)), foreign * float32(own*min(f.sum[gDepend], 4)),
		yes(k.tokens < 8), yes(k.tokens < 25), yes(k.tokens > 150), yes(k.fenced), float32(math.Log1p(float64(k.links))), yes(k.alone > 0 && k.alone*3 > k.tokens),
		yes(k.asks), float32(math.Log1p(float64(k.tasks))),
	} {
		o.Dense[at] = v
		at++
	}
	o.Grams = k.grams
	return o
}

// read goes through a text.
func (k *matcher) read(title, body string) {
	title, body = clip(title), clip(body)
	k.inTitle = true
	k.asks = strings.HasSuffix(strings.TrimSpace(title), "?")
	scan(title, true, k.m.folds, k)
	k.inTitle = false
	scan(body, false, k.m.folds, k)
}

// mostGrams bounds how many words are looked at in pairs: what an issue is about stands in its first
// screens, and a text without end must not cost more.
const mostGrams = 1200

// Salts keep apart the same words in different places.
const (
	saltText  uint64 = 0xcbf29ce484222325
	saltTitle uint64 = 0x9ae16a3b2f90404f
	saltFirst uint64 = 0xb492b66fbe98f273
	saltCode  uint64 = 0xc3a5c85c97cb3127
	saltStart uint64 = 0x77
)

func hashWord(h uint64, w []byte) uint64 {
	for _, c := range w {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}

// mix makes of a hash one whose upper half depends on all of it.
func mix(h uint64) uint32 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return uint32(h >> 32)
}

// longStart is how many bytes of a longer word stand for all words that begin so.
const longStart = 5

// gram notes a word, how it starts, and what it makes with the ones before. What a title begins with is noted once more: it
// says what the author wants.
func (k *matcher) gram(w []byte, sec section, start, end int) {
	k.tokens++
	if k.tokens > mostGrams {
		return
	}
	if w[0] >= '0' && w[0] <= '9' {
		w = numberWord
	}
	salt := saltText
	switch sec {
	case inFence, inSpan, inURL:
		salt = saltCode
	case inTask:
		return
	default: // text
	}
	h := hashWord(salt, w)
	k.note(mix(h), start, end)
	if len(w) > longStart && w[0] < utf8.RuneSelf {
		k.note(mix(hashWord(salt^saltStart, w[:longStart])), start, end)
	}
	if salt == saltText && k.before != 0 {
		pair := k.before*0x9e3779b97f4a7c15 ^ h
		k.note(mix(pair), k.beforeFrom, end)
		if k.before2 != 0 {
			k.note(mix((k.before2*0x9e3779b97f4a7c15^k.before)*0x9e3779b97f4a7c15^h), k.before2From, end)
		}
		if k.inTitle {
			k.note(mix(pair^saltTitle), k.beforeFrom, end)
		}
	}
	if k.inTitle {
		k.note(mix(h^saltTitle), start, end)
		switch k.tokens {
		case 1:
			k.first = h
			k.note(mix(h^saltFirst), start, end)
		case 2:
			k.note(mix(k.first*0x9e3779b97f4a7c15^h^saltFirst), start, end)
		}
	}
	if salt == saltText {
		k.before2, k.before2From = k.before, k.beforeFrom
		k.before, k.beforeFrom = h, start
	}
}

var numberWord = []byte{'#'} //nolint:gochecknoglobals // a constant that Go cannot write

// note keeps a gram once.
func (k *matcher) note(h uint32, from, to int) {
	if h == 0 {
		h = 1
	}
	for i := h & (tableSize - 1); ; i = (i + 1) & (tableSize - 1) {
		switch k.table[i] {
		case h:
			return
		case 0:
			k.table[i] = h
			k.slots = append(k.slots, i)
			k.grams = append(k.grams, Gram{h, int32(from), int32(to), k.inTitle}) //nolint:gosec // below maxRead
			return
		}
	}
}

// tableSize is a power of two, and more than twice as many as there can be grams.
const tableSize = 1 << 14
