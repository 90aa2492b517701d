package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version prints what this binary was built from.
func (p program) version(_ context.Context, c command, args []string) error {
	words, err := p.parse(c, flag.NewFlagSet(c.name, flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return c.misused("version takes no %q", words[0])
	}
	version, commit := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if r := set["vcs.revision"]; r != "" {
			commit = r
		}
		if set["vcs.modified"] == "true" {
			commit += ", with changes"
		}
	}
	_, err = fmt.Fprintf(p.out, "heed %s\ncommit %s\n%s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
