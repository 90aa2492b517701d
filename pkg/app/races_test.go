package app_test

import (
	"strings"
	"testing"
	"time"
)

const (
	traversal  = "Path traversal in the download handler"
	traversalB = "GET /download?file=../../../../etc/passwd returns the file."
	milder     = "Security problem in the download handler"
)

// Somebody retitles the issue while its text waits to be taken away: the hole is as open as before.
func TestRetitledWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	stop := r.lost("PATCH", "/issues/")
	n := r.opens("eve", traversal, traversalB)
	r.edits("eve", n, milder, traversalB)
	stop()
	r.ok(r.advance(48 * time.Hour))
	if s := r.see("", "acme/web", n); strings.Contains(s, "etc/passwd") {
		t.Errorf("public after 48 h:\n%s\n%s", s, r.see("mia", cases, 1))
	}
}

func TestCommentShortenedWhileDeletionWaits(t *testing.T) {
	r := after(t, plain)
	n := r.opens("bob", "Search is slow", "With many users the search takes ten seconds.")
	stop := r.lost("DELETE", "/comments/")
	id := r.says("eve", "acme/web", n, traversal+": "+traversalB+" Anybody can read any file.")
	r.ok(r.sim.EditComment("eve", "acme/web", id, "There is a path traversal: "+traversalB))
	stop()
	r.ok(r.advance(48 * time.Hour))
	if s := r.see("", "acme/web", n); strings.Contains(s, "etc/passwd") {
		t.Errorf("public after 48 h:\n%s\n%s", s, r.see("mia", cases, 1))
	}
}

// The author puts it back under a milder title; then writes something that may be more of it.
func TestPutBackInMilderWords(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", traversal, traversalB)
	r.edits("eve", n, milder, traversalB)
	r.ok(r.advance(time.Hour))
	if s := r.see("", "acme/web", n); strings.Contains(s, "etc/passwd") {
		t.Errorf("public again:\n%s\n%s", s, r.see("mia", cases, 1))
	}
	r.edits("eve", n, susT, susB)
	r.ok(r.advance(time.Hour))
	if s := r.see("mia", cases, 1); !strings.Contains(s, "may tell more of this report") {
		t.Errorf("nobody is told:\n%s\n%s", r.see("", "acme/web", n), s)
	}
}
