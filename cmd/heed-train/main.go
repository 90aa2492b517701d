// Command heed-train makes the model of the detector from labelled issues, and says how good it is. It is
// for whoever works on the detector; Heed itself needs neither it nor the data.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/heed-app/heed/pkg/learn"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "heed-train:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("heed-train", flag.ContinueOnError)
	data := flags.String("data", "../shared/data", "directory with the labelled issues")
	written := flags.String("written", "testdata/detect/written", "directory with the issues that we wrote")
	model := flags.String("model", "pkg/detect/model.bin", "where the model goes")
	card := flags.String("card", "testdata/detect/MODEL.md", "where the model card goes")
	evaluate := flags.Bool("evaluate", false, "say how good it is, and write nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	issues, sources, err := read(*data, *written)
	if err != nil {
		return err
	}
	m := learn.Learn(issues)
	fmt.Fprintf(out, "%s\n%s", m.Table(), m.WorstTable())
	if *evaluate {
		return nil
	}
	if err := os.WriteFile(*model, m.Weights.Encode(), 0o600); err != nil {
		return err
	}
	return os.WriteFile(*card, []byte(m.Card(sources)), 0o600)
}

// read takes in all issues: those that were labelled, those that came by, and those of other worlds.
func read(data, written string) (issues []learn.Issue, sources []learn.Source, err error) {
	type file struct {
		path string
		kind learn.Kind
	}
	files := []file{
		{filepath.Join(data, "train.jsonl"), learn.Labelled},
		{filepath.Join(data, "stream_train.jsonl.gz"), learn.Stream},
		{filepath.Join(data, "train_aux_advisories.jsonl.gz"), learn.Auxiliary},
		{filepath.Join(data, "train_aux_jira.jsonl.gz"), learn.Auxiliary},
	}
	ours, err := filepath.Glob(filepath.Join(written, "*.jsonl")) // sorted
	if err != nil {
		return nil, nil, err
	}
	if len(ours) == 0 {
		return nil, nil, fmt.Errorf("%s: no issues", written)
	}
	for _, path := range ours {
		files = append(files, file{path, learn.Written})
	}
	for _, f := range files {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return nil, nil, err
		}
		some, err := parse(f.path, text, f.kind)
		if err != nil {
			return nil, nil, err
		}
		issues = append(issues, some...)
		sources = append(sources, learn.Source{Name: filepath.Base(f.path), SHA256: fmt.Sprintf("%x", sha256.Sum256(text)), Issues: len(some)})
	}
	return issues, sources, nil
}

// parse reads one issue per line.
func parse(path string, text []byte, kind learn.Kind) (out []learn.Issue, err error) {
	var r io.Reader = bytes.NewReader(text)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			i := learn.Issue{}
			if err := json.Unmarshal(line, &i); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, n, err)
			}
			i.Kind = kind
			out = append(out, i)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
}
