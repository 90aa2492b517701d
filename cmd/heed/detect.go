package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/heed-app/heed/pkg/detect"
	"github.com/heed-app/heed/pkg/policy"
)

const maxLine = 1 << 20 // bytes in one line of --jsonl

// detect reads an issue, or with --jsonl one per line; or it says how the detector does on a repository's
// past issues, and in its maintainers' eyes.
func (p program) detect(ctx context.Context, c command, args []string) error {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	lines := fs.Bool("jsonl", false, `read one {"title","body"} per line, write one {"verdict","score","why"} per line`)
	history := fs.String("history", "", "OWNER/REPOSITORY: what would have happened to its last 500 issues; asks GitHub as the App")
	file := fs.String("policy", "", "with --history: the policy file to read them by")
	report := fs.Bool("report", false, "precision as maintainers saw it, from the database, and thresholds that follow from it")
	given := settingFlags(fs, "database", "app-id", "github-api-url")
	words, err := p.parse(c, fs, args)
	if err != nil {
		return err
	}
	switch {
	case *report && (*history != "" || *lines || len(words) > 0), *history != "" && (*lines || len(words) > 0), *file != "" && *history == "":
		return c.misused("one thing at a time: FILE, --jsonl, --history or --report")
	case *report:
		return p.detectReport(ctx, given)
	case *history != "":
		return p.detectHistory(ctx, c, given, *history, *file)
	}
	name, in := "stdin", p.in
	switch {
	case len(words) > 1:
		return c.misused("one file at a time")
	case len(words) == 1 && words[0] != "-":
		f, err := os.Open(filepath.Clean(words[0]))
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = words[0], f
	}
	if *lines {
		out := bufio.NewWriterSize(p.out, 64<<10)
		return errors.Join(judgeLines(name, in, out), out.Flush())
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	title, body, _ := strings.Cut(strings.TrimLeft(string(text), "\r\n"), "\n")
	return p.explain(detect.Read(strings.TrimSpace(title), body))
}

// reading applies the built-in thresholds.
func reading(v detect.Verdict) detect.Reading {
	t := policy.Default().Public.Threshold
	return v.Reading(t.Confident, t.Suspect)
}

// explain says in words what a verdict means.
func (p program) explain(v detect.Verdict) error {
	r := reading(v)
	fmt.Fprintf(p.out, "verdict  %s: %s\nscore    %.2f (how likely it should be redirected to the private channel)\n", r, map[detect.Reading]string{
		detect.ReadConfident:  "a security report; it would be taken out of public view",
		detect.ReadSuspect:    "might be a security report; maintainers would be asked",
		detect.ReadContact:    "asks for a private channel; its author would be told the way",
		detect.ReadDependency: "a public CVE in a dependency; nothing would be hidden",
		detect.ReadSpam:       "phishing dressed as an alert; maintainers would be told",
		detect.ReadOrdinary:   "an ordinary issue; it would be left alone",
	}[r], math.Floor(v.Probability*100)/100) // what is below a threshold must not look like it
	label := "because "
	for _, why := range v.Why {
		if _, err := fmt.Fprintf(p.out, "%s %s\n", label, why); err != nil {
			return err
		}
		label = "        "
	}
	return nil
}

// judgement is one line of the answer.
type judgement struct {
	Verdict detect.Reading `json:"verdict"`
	Score   float64        `json:"score"`
	Why     []string       `json:"why"`
}

// judgeLines answers line by line and stops at the first that is broken: an answer that is missing
// in the middle would shift all that follow.
func judgeLines(name string, in io.Reader, out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 64<<10), maxLine+3) // room for a line of that length and its end
	t := policy.Default().Public.Threshold
	n := 0
	for s.Scan() {
		n++
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		if len(line) > maxLine {
			return tooLong(name, n)
		}
		var issue struct{ Title, Body string }
		if err := json.Unmarshal(line, &issue); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if line[0] != '{' { // null
			return fmt.Errorf(`%s:%d: want {"title": …, "body": …}`, name, n)
		}
		v := detect.Read(issue.Title, issue.Body)
		j := judgement{v.Reading(t.Confident, t.Suspect), v.Probability, v.Why}
		if j.Why == nil {
			j.Why = []string{}
		}
		if err := enc.Encode(j); err != nil {
			return err
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return tooLong(name, n+1)
	}
	if s.Err() != nil {
		return fmt.Errorf("read %s: %w", name, s.Err())
	}
	return nil
}

func tooLong(name string, n int) error {
	return fmt.Errorf("%s:%d: the line is longer than 1 MiB", name, n)
}
