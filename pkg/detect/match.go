package detect

import "unicode/utf8"

// perSentence is how many phrases of one sentence wait for its end. Longer lists are evidence of nothing.
const perSentence = 96

// A walk is a phrase that has begun and may still go on.
type walk struct {
	node        int32
	token, from int // number of its first token, where that stands in the text
}

// A hit is a phrase that stands in the text.
type hit struct {
	node        int32
	first, last int // tokens
	from, to    int // bytes
	sec         section
}

// found is the best place of one use of a phrase.
type found struct {
	value    float32
	from, to int32
	title    bool
}

// A matcher finds phrases in a stream of tokens and weighs them at the end of each sentence, when it is known whether the
// sentence denies them. Each phrase counts once, where it counts most: repetition neither convinces nor drowns.
type matcher struct {
	m       *model
	token   int
	walks   [depth]walk
	active  int
	hits    [perSentence]hit
	waiting int
	factor  float32
	void    bool
	inTitle bool
	best    []found // by use
	touched []int32 // uses that were found
	mute    map[string]bool

	grams                   []Gram
	table                   []uint32 // hashes of grams
	slots                   []uint32 // of the table that are in use
	first                   uint64   // hash of the title's first word
	before, before2         uint64   // hashes of the words before this one in its sentence
	beforeFrom, before2From int
	tokens, alone           int // tokens; those of scripts without spaces
	links, tasks            int
	fenced, asks            bool
}

// matcher gives one that has read nothing yet; release gives it back.
func (m *model) matcher() *matcher {
	k, ok := m.idle.Get().(*matcher)
	if !ok {
		k = &matcher{m: m, best: make([]found, m.phrases), table: make([]uint32, tableSize)}
	}
	k.factor = 1
	return k
}

func (k *matcher) release() {
	for _, id := range k.touched {
		k.best[id] = found{}
	}
	for _, i := range k.slots {
		k.table[i] = 0
	}
	*k = matcher{m: k.m, best: k.best, touched: k.touched[:0], grams: k.grams[:0], table: k.table, slots: k.slots[:0]}
	k.m.idle.Put(k)
}

// word advances the walks by one token and begins a new one. Most tokens are in no phrase and end all walks at once.
func (k *matcher) word(w []byte, sec section, start, end int) {
	if len(w) == 0 {
		k.active, k.before, k.before2 = 0, 0, 0
		return
	}
	if article(w) {
		return
	}
	if k.mute[string(w)] {
		k.active, k.before, k.before2 = 0, 0, 0
		return
	}
	switch sec {
	case inFence:
		k.fenced = true
	case inTask:
		k.tasks++
	case inURL:
		if w[0] == 'h' && (string(w) == "http" || string(w) == "https") {
			k.links++
		}
	default: // text
	}
	if w[0] >= utf8.RuneSelf && end-start <= utf8.UTFMax {
		k.alone++
	}
	k.gram(w, sec, start, end)
	n := k.m.lookup(w)
	k.token++
	if n == 0 {
		k.active = 0
		return
	}
	kept := 0
	for i := range k.active {
		a := k.walks[i]
		if a.node = k.m.step[edge(a.node, n)]; a.node != 0 {
			k.walks[kept] = a
			kept++
			k.found(a, sec, end)
		}
	}
	if node := k.m.root[n]; node != 0 {
		a := walk{node: node, token: k.token, from: start}
		k.found(a, sec, end)
		if kept < depth {
			k.walks[kept] = a
			kept++
		}
	}
	k.active = kept
}

// found notes a phrase that ends at this token. Hits stay in the order of their ends and none covers another, which makes
// taking over the shorter ones a matter of popping.
func (k *matcher) found(a walk, sec section, end int) {
	if len(k.m.uses[a.node]) == 0 {
		return
	}
	if k.m.cover[a.node] {
		for k.waiting > 0 && k.hits[k.waiting-1].first >= a.token && k.m.cover[k.hits[k.waiting-1].node] {
			k.waiting--
		}
		if k.waiting > 0 {
			if last := k.hits[k.waiting-1]; last.last == k.token && last.first <= a.token && k.m.cover[last.node] {
				return
			}
		}
	}
	if k.waiting == perSentence {
		k.flush()
	}
	k.hits[k.waiting] = hit{node: a.node, first: a.token, last: k.token, from: a.from, to: end, sec: sec}
	k.waiting++
	for _, u := range k.m.uses[a.node] {
		k.modify(u.group, sec)
	}
}

// modify notes what the sentence says about itself. What stands in a log or a program denies nothing.
func (k *matcher) modify(g group, sec section) {
	if sec == inFence || sec == inURL {
		return
	}
	if g == gTemplate {
		k.void = true
	}
	if g == gPrevent {
		k.factor = min(k.factor, 0.5)
	}
	if g == gNegate {
		k.factor = min(k.factor, 0.2)
	}
}

// stop weighs the sentence and forgets it.
func (k *matcher) stop() {
	k.flush()
	k.active, k.factor, k.void = 0, 1, false
	k.before, k.before2 = 0, 0
}

func (k *matcher) flush() {
	for _, h := range k.hits[:k.waiting] {
		for _, u := range k.m.uses[h.node] {
			value := u.weight * worth(u.group, h.sec)
			if u.group == gImperative && (!k.inTitle || h.first > 1) {
				continue
			}
			if u.group <= gContact {
				value *= k.factor
				if k.void {
					value = 0
				}
			}
			if b := &k.best[u.id]; value > b.value {
				if b.value == 0 {
					k.touched = append(k.touched, u.id)
				}
				*b = found{value, int32(h.from), int32(h.to), k.inTitle} //nolint:gosec // below maxRead
			}
		}
	}
	k.waiting = 0
}

// worth is what a phrase of a group counts in a section. A proof stands in a fence, a sanitizer's output as well; the names
// of holes there are mostly those of log lines and test names.
func worth(g group, sec section) float32 {
	evidence := g == gPayload || g == gMemory || g == gDepend || g == gPublic
	switch sec {
	case inTitle:
		return 1.5
	case inProse:
		return 1
	case inLate, inQuote:
		return 0.6
	case inSpan:
		if evidence {
			return 1
		}
		return 0.6
	case inFence:
		if evidence {
			return 0.8
		}
		return 0.2
	case inURL: // a payload may be one; the words of an address are somebody else's
		if g == gPayload || g == gPublic || g == gLink {
			return 0.6
		}
	case inTask:
		return 0.1
	case sections:
	}
	return 0
}
