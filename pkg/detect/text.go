package detect

import (
	"strings"
	"unicode/utf8"
)

// maxRead is how much of a body is read. Who writes more than that has said it before.
const maxRead = 64 << 10

// A section says where in the text a token stands, which decides what it is worth.
type section uint8

const (
	inTitle section = iota
	inProse
	inLate // prose far down: long issues mention everything once
	inQuote
	inSpan  // `inline code`
	inFence // logs and programs, but also proofs of concept
	inURL
	inTask // a line of a check list, which the template wrote and not the author
	sections
)

// lateAfter is where prose becomes late: the point of an issue stands in its first screens.
const lateAfter = 6000

// maxWord is the longest token that can be part of a phrase; longer ones are base64 and the like.
const maxWord = 48

// A sink takes what the tokenizer finds, in the order of the text.
type sink interface {
	// word takes one folded, stemmed token; word is only valid during the call.
	word(word []byte, sec section, start, end int)
	// stop ends a sentence: no phrase and no negation reaches across it.
	stop()
}

// A scanner walks through one text. Every byte is looked at a constant number of times: nothing in it searches ahead for
// a closing mark, except for HTML comments, whose missing end is remembered.
type scanner struct {
	src       string
	out       sink
	folds     *folds
	title     bool
	sec       section // of the line
	fence     byte    // the character of the open fence, 0 outside
	fenceLen  int
	span      int // length of the backtick run that opened a span, 0 outside
	urlEnd    int // up to here we are in a link
	noComment bool
	buf       [maxWord + 2*maxExpanded]byte
}

// scan hands the tokens of src to out.
func scan(src string, title bool, f *folds, out sink) {
	s := &scanner{src: src, out: out, folds: f, title: title}
	for pos := 0; pos < len(src); {
		end := strings.IndexByte(src[pos:], '\n')
		if end < 0 {
			end = len(src)
		} else {
			end += pos
		}
		pos = s.line(pos, end) + 1
	}
	out.stop()
}

// line reads the line [pos, end) and returns where reading stopped: end, or the end of a later line when a comment
// reached over it.
func (s *scanner) line(pos, end int) int {
	s.span = 0
	from, indent := s.skipBlank(pos, end)
	if from == end {
		s.out.stop()
		return end
	}
	if s.fence != 0 { // until its like comes alone on a line; an open fence lasts to the end, as on the page
		if run := s.run(from, end, s.fence); run >= s.fenceLen && s.onlyBlank(from+run, end) {
			s.fence = 0
			s.out.stop()
			return end
		}
		s.sec = inFence
		return s.words(from, end)
	}
	switch c := s.src[from]; {
	case s.title:
		s.sec = inTitle
	case (c == '`' || c == '~') && s.run(from, end, c) >= 3 && !s.closedHere(from, end, c):
		s.fence, s.fenceLen = c, s.run(from, end, c)
		s.out.stop()
		return end
	case c == '>':
		if s.sec != inQuote {
			s.out.stop()
		}
		s.sec = inQuote
		return s.words(from+1, end)
	default:
		s.sec = inProse
		if pos > lateAfter {
			s.sec = inLate
		}
		// A wrapped sentence goes on in the next line; a list item, heading or table row starts a new one.
		if strings.IndexByte("#-*+|<=", c) >= 0 || indent >= 4 || c >= '0' && c <= '9' {
			s.out.stop()
		}
		if s.isTask(from, end) {
			s.sec = inTask
		}
	}
	stop := s.words(from, end)
	if s.sec == inTask || s.src[from] == '#' {
		s.out.stop()
	}
	return stop
}

// skipBlank returns where the line's first visible character stands, and how deep.
func (s *scanner) skipBlank(pos, end int) (from, indent int) {
	for pos < end && (s.src[pos] == ' ' || s.src[pos] == '\t' || s.src[pos] == '\r') {
		indent++
		pos++
	}
	return pos, indent
}

func (s *scanner) onlyBlank(pos, end int) bool {
	from, _ := s.skipBlank(pos, end)
	return from == end
}

// run counts how often c stands at pos.
func (s *scanner) run(pos, end int, c byte) int {
	n := 0
	for pos+n < end && s.src[pos+n] == c {
		n++
	}
	return n
}

// closedHere says whether a line that starts with a run of backticks has more of them: ```this``` is a span.
func (s *scanner) closedHere(pos, end int, c byte) bool {
	return strings.IndexByte(s.src[pos+s.run(pos, end, c):end], c) >= 0
}

// isTask recognises "- [ ] …" and "* [x] …".
func (s *scanner) isTask(pos, end int) bool {
	line := s.src[pos:end]
	if len(line) < 5 || strings.IndexByte("-*+", line[0]) < 0 {
		return false
	}
	line = strings.TrimLeft(line[1:], " ")
	return len(line) > 2 && line[0] == '[' && (line[2] == ']' || line[1] == ']')
}

// words cuts [pos, end) into tokens and returns where it stopped.
func (s *scanner) words(pos, end int) int {
	for pos < end {
		c := s.src[pos]
		if c >= utf8.RuneSelf || isWord(c) {
			pos = s.token(pos, end)
			continue
		}
		switch c {
		case '`':
			n := s.run(pos, end, c)
			switch s.span {
			case 0:
				s.span = n
			case n:
				s.span = 0
			}
			pos += n
			continue
		case '<':
			if stop, ok := s.comment(pos); ok {
				if stop > end { // the rest of the line in which the comment ends is read as text
					if end = strings.IndexByte(s.src[stop:], '\n'); end < 0 {
						end = len(s.src)
					} else {
						end += stop
					}
				}
				pos = stop
				continue
			}
		case '.', '!', '?', ';':
			if pos+1 >= end || s.src[pos+1] == ' ' || s.src[pos+1] == '\t' || s.src[pos+1] == '\r' {
				s.out.stop()
			}
		case '|':
			s.out.stop()
		}
		pos++
	}
	return end
}

// comment says whether an HTML comment starts at pos and where it ends. An open one hides nothing: people lose the end
// of the template's comment while they write.
func (s *scanner) comment(pos int) (int, bool) {
	if s.noComment || s.title || s.fence != 0 || s.span != 0 || !strings.HasPrefix(s.src[pos:], "<!--") {
		return 0, false
	}
	n := strings.Index(s.src[pos+4:], "-->")
	if n < 0 {
		s.noComment = true
		return 0, false
	}
	return pos + 4 + n + 3, true
}

// section says where a token at pos stands. Links win over spans, and a fence over what looks like a span in it.
func (s *scanner) section(pos int) section {
	switch {
	case pos < s.urlEnd:
		return inURL
	case s.span != 0 && s.sec != inFence:
		return inSpan
	}
	return s.sec
}

// token reads one token at pos, hands it on, and returns where the next one starts. Invisible characters and combining
// marks fold to nothing and do not end a token; scripts without spaces give one token per character.
func (s *scanner) token(start, end int) int {
	word, pos := s.buf[:0], start
	odd, latin := false, false
	for pos < end {
		c := s.src[pos]
		if c < utf8.RuneSelf {
			if !isWord(c) {
				// An apostrophe joins, so that one phrase stands for both spellings.
				if c == '\'' && len(word) > 0 {
					pos++
					continue
				}
				break
			}
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			latin = true
			if len(word) <= maxWord {
				word = append(word, c)
			}
			pos++
			continue
		}
		r, size := utf8.DecodeRuneInString(s.src[pos:end])
		var room [utf8.UTFMax + maxExpanded]byte
		folded, kind := s.folds.fold(room[:0], r)
		if r == '’' && len(word) > 0 {
			kind = foldDrop
		}
		switch kind {
		case foldBreak:
			if len(word) > 0 {
				s.emit(word, odd, latin, start, pos)
			}
			if isFullStop(r) {
				s.out.stop()
			}
			return pos + size
		case foldAlone:
			if len(word) > 0 {
				s.emit(word, odd, latin, start, pos)
			}
			s.out.word(append(s.buf[:0], folded...), s.section(pos), pos, pos+size)
			return pos + size
		case foldForeign:
			odd = true
		case foldLatin:
			latin = true
		case foldDrop, foldOther:
		}
		if len(word) <= maxWord {
			word = append(word, folded...)
		}
		pos += size
	}
	s.emit(word, odd, latin, start, pos)
	return pos
}

// emit finishes a token: look-alikes, underscores of emphasis, stem, link.
func (s *scanner) emit(word []byte, odd, latin bool, start, end int) {
	if odd { // only words with foreign letters are worth the second look
		word = s.folds.latinise(word, latin)
	}
	if len(word) > maxWord {
		word = word[:0] // too long to be a word, but it still parts its neighbours
	}
	for len(word) > 0 && word[0] == '_' {
		word = word[1:]
	}
	for len(word) > 0 && word[len(word)-1] == '_' {
		word = word[:len(word)-1]
	}
	if start >= s.urlEnd && len(word) >= 4 && word[0] == 'h' && strings.HasPrefix(s.src[end:], "://") {
		s.urlEnd = s.linkEnd(end)
	}
	s.out.word(stem(word), s.section(start), start, end)
}

// linkEnd finds the end of a link; emit calls it once per link, so a text stays linear.
func (s *scanner) linkEnd(pos int) int {
	for pos < len(s.src) && s.src[pos] > ' ' && strings.IndexByte(`<>"'`+"`)]|", s.src[pos]) < 0 {
		pos++
	}
	return pos
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// isFullStop knows the full stops, question and exclamation marks of East Asian and Indic texts.
func isFullStop(r rune) bool {
	switch r {
	case '。', '！', '？', '；', '．', '｡', '।', '؟', '…':
		return true
	}
	return false
}

// stem takes off the English plural and third person. It is applied to the phrases as well, so it only has to be
// consistent, not right.
func stem(w []byte) []byte {
	n := len(w)
	if n < 4 || w[n-1] != 's' {
		return w
	}
	switch w[n-2] {
	case 's', 'u', 'i', 'o':
		return w
	case 'e':
		switch {
		case n > 4 && w[n-3] == 'i':
			w[n-3] = 'y'
			return w[:n-2]
		case n > 5 && (w[n-3] == 's' && w[n-4] == 's' || w[n-3] == 'h'):
			return w[:n-2]
		}
	}
	return w[:n-1]
}
