package detect

import (
	"strings"
	"sync"
)

// model is what Read needs besides the text. It never changes after it was built.
type model struct {
	folds   *folds
	words   map[string]int32 // token → number, from 1
	step    map[uint64]int32 // node and token → node
	root    []int32          // token → node, for the first token of a phrase
	uses    [][]use          // node → what the phrase that ends there speaks for
	cover   []bool           // node → takes over the shorter phrases inside it
	phrases int
	byID    []use     // use → itself
	idle    sync.Pool // of *matcher
	num     int32     // token numbers of the placeholders # and #y
	year    int32
}

// A use is a phrase in one group; the same words may speak for several.
type use struct {
	id     int32
	group  group
	weight float32
}

// depth is the length of the longest phrase, in tokens.
const depth = 24

//nolint:gochecknoglobals // immutable, built once: 3 ms that a process which never reads an issue does not spend
var theModel = sync.OnceValue(newModel)

func newModel() *model {
	m := &model{folds: newFolds(), words: map[string]int32{}, step: map[uint64]int32{}, uses: make([][]use, 1), cover: make([]bool, 1)}
	m.num, m.year = m.number("#"), m.number("#y")
	for _, e := range table() {
		for phrase := range strings.SplitSeq(e.phrases, "|") {
			m.add(phrase, e.group, e.weight)
		}
	}
	m.root = make([]int32, len(m.words)+1)
	for key, node := range m.step {
		if key>>32 == 0 {
			m.root[key&0xFFFFFFFF] = node
		}
	}
	return m
}

func (m *model) number(word string) int32 {
	n, ok := m.words[word]
	if !ok {
		n = int32(len(m.words) + 1) //nolint:gosec // a few thousand
		m.words[word] = n
	}
	return n
}

// add puts a phrase into the trie. It goes through the scanner, like the text that it must match.
func (m *model) add(phrase string, g group, weight float32) {
	c := &collector{m: m}
	for field := range strings.FieldsSeq(phrase) {
		switch field {
		case "#":
			c.nums = append(c.nums, m.num)
		case "#y":
			c.nums = append(c.nums, m.year)
		default:
			scan(field, true, m.folds, c)
		}
	}
	node := int32(0)
	for _, w := range c.nums {
		key := edge(node, w)
		next, ok := m.step[key]
		if !ok {
			next = int32(len(m.uses)) //nolint:gosec // a few thousand
			m.step[key] = next
			m.uses, m.cover = append(m.uses, nil), append(m.cover, false)
		}
		node = next
	}
	if node == 0 {
		return
	}
	for _, u := range m.uses[node] {
		if u.group == g {
			return // listed twice, or two spellings that fold to one
		}
	}
	u := use{id: int32(m.phrases), group: g, weight: weight} //nolint:gosec // a few thousand
	m.uses[node], m.byID = append(m.uses[node], u), append(m.byID, u)
	m.cover[node] = m.cover[node] || g < gTemplate && g != gContact
	m.phrases++
}

func edge(node, word int32) uint64 { return uint64(uint32(node))<<32 | uint64(uint32(word)) } //nolint:gosec // bits

// collector numbers the words of a phrase.
type collector struct {
	m    *model
	nums []int32
}

func (c *collector) word(w []byte, _ section, _, _ int) {
	if len(w) > 0 && !article(w) {
		c.nums = append(c.nums, c.m.number(string(w)))
	}
}

func (c *collector) stop() {}

// article says whether a token is one that phrases are written without.
func article(w []byte) bool {
	switch string(w) {
	case "a", "an", "the":
		return true
	}
	return false
}

// lookup gives the number of a token, 0 if no phrase has it.
func (m *model) lookup(w []byte) int32 {
	if n := m.words[string(w)]; n != 0 {
		return n
	}
	if w[0] < '0' || w[0] > '9' {
		return 0
	}
	for _, c := range w {
		if c < '0' || c > '9' {
			return 0
		}
	}
	if len(w) == 4 && (w[0] == '1' || w[0] == '2') {
		return m.year
	}
	return m.num
}
