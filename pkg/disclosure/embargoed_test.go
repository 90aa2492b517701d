package disclosure

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However the text is written down by accident, it must not come out.
func TestEmbargoedStaysIn(t *testing.T) {
	t.Parallel()
	const secret = "heap overflow in parse_header"
	c := Case{Title: Seal(secret), Body: Seal(secret)}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", c, c, c, c.Title, c.Body, c.Title)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("case", "case", c, "title", c.Title)
	slog.New(slog.NewTextHandler(&out, nil)).Info("case", "case", c, "title", c.Title)
	if strings.Contains(out.String(), "overflow") || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
		t.Errorf("the text came out:\n%s", out.String())
	}
}

func TestEmbargoedIsKeptByGob(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(Case{Body: Seal("text")}); err != nil {
		t.Fatal(err)
	}
	var c Case
	if err := gob.NewDecoder(&b).Decode(&c); err != nil {
		t.Fatal(err)
	}
	if got := c.Body.Reveal(); got != "text" {
		t.Errorf("got %q, want %q", got, "text")
	}
}
