package config_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityNamesTests: .github/SECURITY.md says which test shows each promise. A test that was
// renamed or removed must not leave a promise behind that nothing shows.
func TestSecurityNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../.github/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	house := os.DirFS("..")
	err = fs.WalkDir(house, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(house, path)
		tests.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 30 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, n := range names {
		if !strings.Contains(tests.String(), "func "+n[1]+"(") {
			t.Errorf("there is no %s", n[1])
		}
	}
	for _, line := range regexp.MustCompile("stor(?:y|ies) ((?:`[a-z-]+`(?:, )?)+)").FindAllStringSubmatch(string(page), -1) {
		for _, n := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(line[1], -1) {
			if _, err := os.Stat("../testdata/story/" + n[1] + ".txtar"); err != nil {
				t.Errorf("there is no story %s", n[1])
			}
		}
	}
}
