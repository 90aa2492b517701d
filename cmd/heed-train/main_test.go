package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/heed-app/heed/pkg/learn"
)

const data = "../../../shared/data"

// labelled needs the labelled issues, which are nobody's to publish. On a desk without them a test is skipped, on
// CI never.
func labelled(t *testing.T) {
	t.Helper()
	_, err := os.Stat(data)
	switch {
	case err == nil:
	case os.Getenv("CI") == "":
		t.Skip("the labelled issues are not here")
	default:
		t.Fatal(err)
	}
}

// TestTheModelIsTheOneThatIsMade trains anew, where the data is, and compares. It is where the figures of the card
// come from.
func TestTheModelIsTheOneThatIsMade(t *testing.T) {
	t.Parallel()
	labelled(t)
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	dir := t.TempDir()
	model, card := filepath.Join(dir, "model.bin"), filepath.Join(dir, "MODEL.md")
	if err := run([]string{"-data", data, "-written", "../../testdata/detect/written", "-model", model, "-card", card}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for made, kept := range map[string]string{model: "../../pkg/detect/model.bin", card: "../../testdata/detect/MODEL.md"} {
		a, err := os.ReadFile(made)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(kept)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is another than the one that these data make: go run ./cmd/heed-train", kept)
		}
	}
}

// What we wrote is well-formed, and no text of it stands there twice.
func TestWhatWeWrote(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/detect/written/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("nothing written", err)
	}
	ids, texts := map[string]bool{}, map[string]bool{}
	labels := map[string]bool{"vulnerability": true, "contact-request": true, "dependency-cve": true, "spam": true, "ordinary": true}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		issues, err := parse(f, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range issues {
			if ids[i.ID] || !strings.HasPrefix(i.ID, strings.TrimSuffix(filepath.Base(f), ".jsonl")[:3]) {
				t.Errorf("%s: the id %q is there twice, or another file's", f, i.ID)
			}
			if texts[i.Title+"\n"+i.Body] {
				t.Errorf("%s: %s is there twice", f, i.ID)
			}
			if !labels[i.Label] {
				t.Errorf("%s: %s has the label %q", f, i.ID, i.Label)
			}
			ids[i.ID], texts[i.Title+"\n"+i.Body] = true, true
		}
	}
}

// No text that we wrote is a labelled one in other words: it would teach what the model is then judged by. A third of
// all runs of three words is more than templates and the messages of common programs have in common.
func TestWhatWeWroteIsOurs(t *testing.T) {
	t.Parallel()
	labelled(t)
	issues, _, err := read(data, "../../testdata/detect/written")
	if err != nil {
		t.Fatal(err)
	}
	runs := func(i learn.Issue) map[string]bool {
		words := strings.FieldsFunc(strings.ToLower(i.Title+" "+i.Body), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		out := map[string]bool{}
		for k := range max(0, len(words)-2) {
			out[strings.Join(words[k:k+3], " ")] = true
		}
		return out
	}
	const fewest = 8 // runs: what is shorter is alike by chance
	size, where := map[string]int{}, map[string][]string{}
	for _, i := range issues {
		if i.Kind != learn.Labelled || i.Source != "hand" {
			continue
		}
		theirs := runs(i)
		size[i.ID] = len(theirs)
		for r := range theirs {
			where[r] = append(where[r], i.ID)
		}
	}
	for _, i := range issues {
		if i.Kind != learn.Written {
			continue
		}
		ours, shared := runs(i), map[string]int{}
		for r := range ours {
			for _, id := range where[r] {
				shared[id]++
			}
		}
		for id, n := range shared {
			if smaller := min(size[id], len(ours)); smaller >= fewest && 3*n > smaller {
				t.Errorf("%s shares %d of %d runs of words with %s, which is labelled", i.ID, n, smaller, id)
			}
		}
	}
}

func TestBrokenLines(t *testing.T) {
	t.Parallel()
	if _, err := parse("file", []byte("{\"title\":\"a\"}\n\nnot JSON\n"), 0); err == nil || !strings.HasPrefix(err.Error(), "file:3: ") {
		t.Errorf("got %v", err)
	}
	if _, err := parse("file.gz", []byte("no gzip"), 0); err == nil {
		t.Error("no gzip was taken for one")
	}
}
