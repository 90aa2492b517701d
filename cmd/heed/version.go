package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"github.com/heed-app/heed/pkg/app"
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
	version, commit := app.Version()
	_, err = fmt.Fprintf(p.out, "heed %s\ncommit %s\n%s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
