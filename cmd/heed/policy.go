package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/heed-app/heed/pkg/policy"
)

// policy checks policy files, or prints their schema.
func (p program) policy(_ context.Context, c command, args []string) error {
	words, err := p.parse(c, flag.NewFlagSet(c.name, flag.ContinueOnError), args)
	switch {
	case err != nil:
		return err
	case len(words) == 1 && words[0] == "schema":
		_, err := p.out.Write(policy.Schema())
		return err
	case len(words) > 1 && words[0] == "check":
		return p.check(words[1:])
	case len(words) == 1 && words[0] == "check":
		return c.misused("which file should be checked?")
	default:
		return c.misused("want check FILE… or schema")
	}
}

// check looks at every file, whatever the ones before it were like.
func (p program) check(files []string) error {
	var found error
	for _, name := range files {
		text, err := p.read(name)
		if err != nil {
			fmt.Fprintln(p.err, "heed:", err)
			found = errFound
			continue
		}
		got, mistakes := policy.Parse(name, text)
		for _, m := range mistakes {
			fmt.Fprintln(p.out, m)
			found = errFound
		}
		if len(mistakes) == 0 {
			fmt.Fprintln(p.out, name+": ok")
		}
		for _, key := range got.Idle() {
			fmt.Fprintf(p.out, "%s: note: %s is understood, but this version of Heed does nothing with it\n", name, key)
		}
	}
	return found
}

// read reads a file; "-" is what comes in.
func (p program) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(p.in)
	}
	return os.ReadFile(filepath.Clean(name))
}
