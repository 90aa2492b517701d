package detect

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type sample struct {
	ID, Title, Body, Label, Source, Category string
}

func load(t *testing.T, path string) []sample {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var out []sample
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var s sample
		if err := json.Unmarshal(sc.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestMeasure logs how well Read does on labelled issues. They are not part of the repository: HEED_DATA names the directory.
func TestMeasure(t *testing.T) {
	dir := os.Getenv("HEED_DATA")
	if dir == "" {
		t.Skip("HEED_DATA is not set")
	}
	for _, name := range []string{"train.jsonl", "stream_train.jsonl.gz"} {
		var c counts
		for _, s := range load(t, filepath.Join(dir, name)) {
			c.add(s, Read(s.Title, s.Body))
		}
		c.log(t, name)
	}
}

// counts collects by label, and for reports also by source.
type counts struct {
	total, sure, maybe map[string]int
	class              map[string]map[Class]int
	bins, hits         [11]int // calibration
}

func (c *counts) add(s sample, v Verdict) {
	if c.total == nil {
		c.total, c.sure, c.maybe, c.class = map[string]int{}, map[string]int{}, map[string]int{}, map[string]map[Class]int{}
	}
	kind := "corpus"
	if s.Source == "hand" {
		kind = "hand"
	}
	for _, key := range []string{s.Label, s.Label + "/" + kind} {
		c.total[key]++
		if v.Probability >= confident {
			c.sure[key]++
		}
		if v.Probability >= suspect {
			c.maybe[key]++
		}
		if c.class[key] == nil {
			c.class[key] = map[Class]int{}
		}
		c.class[key][v.Class]++
	}
	bin := int(v.Probability * 10)
	c.bins[bin]++
	if s.Label == "vulnerability" {
		c.hits[bin]++
	}
}

func (c *counts) log(t *testing.T, name string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(c.total)) {
		n := float64(c.total[key]) / 1000
		t.Logf("%s %-28s %6d  >=.95 %4d (%.2f/1000)  >=.60 %4d (%.2f/1000)  %v", name, key, c.total[key],
			c.sure[key], float64(c.sure[key])/n, c.maybe[key], float64(c.maybe[key])/n, c.class[key])
	}
	for i, n := range c.bins {
		if n > 0 {
			t.Logf("%s p in %.1f: %d, %d of them reports", name, float64(i)/10, n, c.hits[i])
		}
	}
}
