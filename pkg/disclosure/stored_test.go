package disclosure

import (
	"bytes"
	"encoding/gob"
	"os"
	"testing"
)

// Cases and effects lie in databases as older versions wrote them. The files hold one of each with every field
// filled. A field may be added or left out, but never change its type: then nothing could be read any more.
func TestStoredByOlderVersions(t *testing.T) {
	t.Parallel()
	var c Case
	var e Effect
	for name, v := range map[string]any{"case-1.gob": &c, "effect-1.gob": &e} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(c.Unsaid) != 1 || len(c.Clocks) != 1 || c.Body.Reveal() == "" || len(c.Kept) != 1 || e.Key == "" || e.Secret.IsZero() {
		t.Errorf("something is missing: %+v, %+v", c, e)
	}
}
