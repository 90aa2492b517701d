// Package mark makes and finds the hidden marks in what Heed writes: HTML comments that name the
// effect which wrote a text. A mark counts only in text that the App itself wrote; whoever asks
// Has must have checked the author.
package mark

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Private is the readable mark for private places: <!-- heed:case/17:receipt -->.
func Private(key string) string { return "<!-- heed:" + key + " -->" }

// Public is the opaque mark for public places: 32 hex digits keyed with a secret of the
// installation. A readable one would be a search term that leads strangers to every leak.
func Public(secret []byte, key string) string { return "<!-- " + Token(secret, key) + " -->" }

// Token is the 32 hex digits of Public: a name that strangers cannot guess.
func Token(secret []byte, key string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Wrap appends a mark to a text.
func Wrap(text, mark string) string {
	if text == "" {
		return mark
	}
	return strings.TrimRight(text, "\n") + "\n\n" + mark
}

// Has reports whether the text wears the mark: at its very end, where Wrap puts it. Anywhere else
// it may have come with a stranger's text that we quoted, and the readable marks can be guessed.
func Has(text, mark string) bool { return strings.HasSuffix(strings.TrimSpace(text), mark) }

// Stands reports whether the mark is a line of the text. It is for texts to which people may have added some
// words of theirs, and that hold a stranger's only if the mark cannot be guessed.
func Stands(text, mark string) bool {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == mark {
			return true
		}
	}
	return false
}

// Block encloses a part of a text that is replaced or taken out as a whole later.
func Block(key, text string) string {
	return open(key) + "\n" + strings.Trim(text, "\n") + "\n" + shut(key)
}

// End is the last line of a block. Where the block ends a text, it is the mark of that text too.
func End(key string) string { return shut(key) }

// Replace puts a new inside into the block; ok is false when the block is not there, or is no
// longer whole because somebody edited it.
func Replace(text, key, inside string) (replaced string, ok bool) {
	before, after, ok := around(text, key)
	if !ok {
		return text, false
	}
	return before + Block(key, inside) + after, true
}

// Remove takes the block out, with the empty lines before it.
func Remove(text, key string) (removed string, ok bool) {
	before, after, ok := around(text, key)
	if !ok {
		return text, false
	}
	return strings.TrimSuffix(before, "\n\n") + after, true
}

// around takes the last block of that key: ours stands behind any text that we quoted. Who saves a text in a
// browser saves it with the line ends of mail.
func around(text, key string) (before, after string, ok bool) {
	text = Lines(text)
	i := strings.LastIndex(text, open(key)+"\n")
	if i < 0 {
		return "", "", false
	}
	_, after, ok = strings.Cut(text[i:], "\n"+shut(key))
	return text[:i], after, ok
}

// Lines is a text with line ends as we write them.
func Lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func open(key string) string { return "<!-- heed:" + key + " -->" }
func shut(key string) string { return "<!-- /heed:" + key + " -->" }
