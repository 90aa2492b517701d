package detect

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What becomes of a character outside ASCII.
type foldKind uint8

const (
	foldBreak   foldKind = iota // punctuation, symbols: ends a token
	foldDrop                    // invisible or combining: as if it were not there
	foldLatin                   // a Latin letter in some dress
	foldForeign                 // Cyrillic or Greek, perhaps a look-alike
	foldOther                   // letters of other alphabets
	foldAlone                   // Han, kana, Hangul: a token of its own
)

const (
	foldPages   = 0x20000 >> 8 // covers the planes with dressed-up Latin letters
	maxExpanded = 12           // bytes that one character may fold to: a ligature, not U+FDFA's whole sentence
)

// folds answers what NFKD, lower case and taking off marks would make of one character, from a table: running the
// normaliser over the text itself costs too much on hostile input, since one character may become eighteen.
type folds struct {
	pages [foldPages]*[256]folded
	like  map[rune]byte // Cyrillic and Greek small letters that look like a Latin one
}

type folded struct {
	kind foldKind
	n    uint8
	text [maxExpanded]byte
}

// lookAlikes pairs Cyrillic, Greek and Armenian small letters with their Latin doubles.
const lookAlikes = "аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwьbкkмmтtнhвbпnгrαaεeοoρpνvτtιiκkυuχxηnςcωwγyսuոnօoցg"

func newFolds() *folds {
	f := &folds{like: map[rune]byte{}}
	pair := []rune(lookAlikes)
	for i := 0; i+1 < len(pair); i += 2 {
		f.like[pair[i]] = string(pair[i+1])[0]
	}
	// All letters outside the big East Asian blocks, and the mathematical and enclosed alphabets.
	for _, r := range [][2]rune{{0x80, 0x31FF}, {0xA4D0, 0xABFF}, {0xF900, 0xFFFF}, {0x1D400, 0x1D7FF}, {0x1F100, 0x1F1FF}} {
		for c := r[0]; c <= r[1]; c++ {
			f.set(c)
		}
	}
	return f
}

// undressed names the plain letters of those that Unicode does not take apart.
func undressed(r rune) string {
	const (
		dressed = "ıɩłƚøɵđðɡɑꜱʀɴɪᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ"
		plain   = "iillooddgasrniacdejkmoptuvwz"
	)
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	}
	n := 0
	for _, c := range dressed {
		if c == r {
			return plain[n : n+1]
		}
		n++
	}
	return ""
}

// set works out one entry of the table with the real normaliser.
func (f *folds) set(c rune) {
	page := f.pages[c>>8]
	if page == nil {
		page = new([256]folded)
		f.pages[c>>8] = page
	}
	e := &page[c&0xFF]
	e.kind = foldBreak
	if invisible(c) {
		e.kind = foldDrop
		return
	}
	for _, r := range norm.NFKD.String(string(c)) {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if e.kind == foldBreak {
				e.kind = foldDrop
			}
			continue
		}
		r = unicode.ToLower(r)
		text := undressed(r)
		if text == "" {
			text = string(r)
		}
		if int(e.n)+len(text) > maxExpanded {
			break
		}
		if k := kindOf(r, text); k > e.kind || e.kind == foldDrop {
			e.kind = k
		}
		e.n += uint8(copy(e.text[e.n:], text)) //nolint:gosec // at most maxExpanded
	}
	if e.kind == foldBreak || e.kind == foldDrop {
		e.n = 0
	}
}

func kindOf(r rune, text string) foldKind {
	switch {
	case text[0] < utf8.RuneSelf && isWord(text[0]), unicode.Is(unicode.Latin, r):
		return foldLatin
	case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian):
		return foldForeign
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul), r == 'ー', r == '々':
		return foldAlone
	case unicode.In(r, unicode.L, unicode.N):
		return foldOther
	}
	return foldBreak
}

// invisible characters come inside words to make them unreadable for machines, or by copying from a web page.
func invisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x3164, r == 0xFEFF, r == 0xFFA0,
		r >= 0x180B && r <= 0x180F, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F,
		r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// fold appends to dst what r becomes. What the table does not have is decided by block, without searching the Unicode
// tables: those searches, repeated for each character, are what a hostile text would make us pay for.
func (f *folds) fold(dst []byte, r rune) ([]byte, foldKind) {
	if r>>8 < foldPages {
		if page := f.pages[r>>8]; page != nil {
			e := &page[r&0xFF]
			return append(dst, e.text[:e.n]...), e.kind
		}
	}
	switch {
	case r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7FF, r >= 0x20000 && r <= 0x3FFFF:
		return utf8.AppendRune(dst, r), foldAlone
	case r >= 0xE0000 && r <= 0xE0FFF:
		return dst, foldDrop
	case r >= 0x10000 && r < 0x1F000: // ancient scripts
		return utf8.AppendRune(dst, r), foldOther
	}
	return dst, foldBreak // emoji, private use
}

// latinise replaces look-alikes when the word is otherwise Latin, or made of nothing but look-alikes. A word that really
// is Russian or Greek has letters without a double and stays. Phrases go the same way, so both sides agree.
func (f *folds) latinise(word []byte, latin bool) []byte {
	all := true
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRune(word[i:])
		if _, ok := f.like[r]; !ok && r >= utf8.RuneSelf {
			all = false
			break
		}
		i += size
	}
	if !latin && !all {
		return word
	}
	out := word[:0] // a double is never longer than what it replaces
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRune(word[i:])
		if c, ok := f.like[r]; ok {
			out = append(out, c)
		} else {
			out = append(out, word[i:i+size]...)
		}
		i += size
	}
	return out
}
