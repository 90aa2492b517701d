package mark

import (
	"strings"
	"testing"
)

func TestPublicTellsNothing(t *testing.T) {
	t.Parallel()
	a := Public([]byte("secret of one installation"), "case/17:reply")
	b := Public([]byte("secret of another"), "case/17:reply")
	if a == b {
		t.Error("two installations leave the same mark: a search term")
	}
	if len(a) != len("<!--  -->")+32 || strings.Contains(a, "heed") {
		t.Errorf("not an opaque token: %s", a)
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	const key = "case/17:status"
	text := "a\n\n" + Block(key, "old") + "\n\nb"
	if got, ok := Replace(text, key, "new"); !ok || got != "a\n\n"+Block(key, "new")+"\n\nb" {
		t.Errorf("replace: %v %q", ok, got)
	}
	if got, ok := Remove(text, key); !ok || got != "a\n\nb" {
		t.Errorf("remove: %v %q", ok, got)
	}
	if got, ok := Replace("a\n\nb", key, "new"); ok || got != "a\n\nb" {
		t.Errorf("a block that is not there was replaced: %q", got)
	}
	if _, ok := Replace(strings.ReplaceAll(text, shut(key), ""), key, "new"); ok {
		t.Error("a block that lost its end was replaced")
	}
}

// A stranger guesses the mark of another case and pastes it into a report that we then quote.
func TestPastedMarksDoNotCount(t *testing.T) {
	t.Parallel()
	pasted := Private("case/18:advisory")
	ours := Wrap("quoted: "+pasted, Private("case/17:advisory"))
	if Has(ours, pasted) {
		t.Error("a pasted mark counts")
	}
	if !Has(ours+"\n", Private("case/17:advisory")) {
		t.Error("our own mark does not count")
	}
	text := "a\n" + Block("k", "pasted") + "\n" + Block("k", "ours")
	if got, _ := Replace(text, "k", "new"); !strings.Contains(got, "pasted") || strings.Contains(got, "ours") {
		t.Errorf("the wrong block was replaced: %q", got)
	}
}

func FuzzReplace(f *testing.F) {
	f.Add("x "+Block("k", "y")+" z", "new")
	f.Fuzz(func(t *testing.T, text, inside string) {
		if got, ok := Replace(text, "k", inside); ok && !strings.Contains(got, Block("k", inside)) {
			t.Errorf("lost the new inside: %q", got)
		}
	})
}
