// Command heed runs a project's vulnerability-disclosure policy as a GitHub App.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // office hours of a policy, also on a machine without time zones

	"github.com/heed-app/heed/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice does not want to wait
	p := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, colour: colourful(os.Stdout, os.Getenv)}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// Exit codes.
const (
	exitOK    = 0
	exitFault = 1 // a mistake was found, or something failed
	exitUsage = 2 // the call itself was wrong
)

// program is one run of heed and what it may touch.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	colour   bool // out is a terminal whose owner likes colours
}

// command is one sub-command.
type command struct {
	name, words, about string
	run                func(program, context.Context, command, []string) error
}

// commands lists the sub-commands in the order of the overview.
func commands() []command {
	return []command{
		{"serve", "[flags]", "run the App: webhooks, reminders, dashboard", program.serve},
		{"demo", "[flags]", "see it work in a made-up GitHub; needs no network", program.demo},
		{"policy", "check FILE… | schema", "find the mistakes in policy files; print their JSON Schema", program.policy},
		{"detect", "[flags] [FILE]", "read an issue and say whether it is a security report", program.detect},
		{"cases", "[flags] [list | show ID]", "show the queue, or the history of one case", program.cases},
		{"work", "[flags] [list | retry ID | approve ID | drop ID]", "show what was laid aside; have it done, or drop it", program.work},
		{"backup", "[flags] FILE", "copy the database while the App runs", program.backup},
		{"restore", "[flags] FILE", "put a copy back", program.restore},
		{"keys", "[flags] rotate", "encrypt everything with a new data key while the App runs", program.keys},
		{"version", "", "print the version", program.version},
		{"load", "[flags] [door] [exposure] [cases]", "", program.load}, // hidden: for those who work on Heed
	}
}

// usageError says that the call was wrong, not the world.
type usageError string

func (e usageError) Error() string { return string(e) }

// errFound ends a command that has already said everything there is to say.
var errFound = errors.New("mistakes were found")

// run carries out one command line and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	if len(args) > 1 && args[0] == "help" {
		args = []string{args[1], "-h"}
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		p.overview()
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return p.report(c.run(p, ctx, c, args[1:]))
		}
	}
	return p.report(usageError(fmt.Sprintf("there is no command %q; heed help lists them", args[0])))
}

// report tells an error and turns it into the exit code.
func (p program) report(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errFound):
		return exitFault
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(p.err, "heed:", strings.TrimSuffix(line, "\n"))
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFault
}

func (p program) overview() {
	fmt.Fprint(p.out, "Heed answers security reports at once, keeps them private, and makes sure that a\nperson follows.\n\n")
	for _, c := range commands() {
		if c.about == "" {
			continue
		}
		fmt.Fprintf(p.out, "  heed %-9s%s\n", c.name, c.about)
	}
	fmt.Fprint(p.out, "\nheed demo is the place to start. heed COMMAND -h explains one of them.\n")
}

// parse reads the flags of a command, wherever they stand among its words, and returns the words.
func (p program) parse(c command, fs *flag.FlagSet, args []string) ([]string, error) {
	fs.SetOutput(io.Discard)
	var words []string
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			p.help(c, fs)
			return nil, err
		}
		if err != nil {
			return nil, c.misused("%v", err)
		}
		rest := fs.Args()
		switch {
		case len(rest) == 0:
			return words, nil
		case len(rest) < len(args) && args[len(args)-len(rest)-1] == "--":
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

func (p program) help(c command, fs *flag.FlagSet) {
	fmt.Fprintf(p.out, "usage: %s\n\n%s\n", strings.TrimSpace("heed "+c.name+" "+c.words), c.about)
	head := "\nFlags:\n"
	fs.VisitAll(func(f *flag.Flag) {
		fmt.Fprintf(p.out, "%s  --%s\n      %s\n", head, f.Name, f.Usage)
		head = ""
	})
}

// misused is the error of a call that makes no sense.
func (c command) misused(format string, args ...any) error {
	return usageError(fmt.Sprintf(format, args...) + "; see heed " + c.name + " -h")
}

// settingFlags adds flags of settings to a command: the named ones, or all. What was given ends up
// in the map, which is what config.Load wants.
func settingFlags(fs *flag.FlagSet, names ...string) map[string]string {
	given := map[string]string{}
	keep := func(name string) func(string) error {
		return func(v string) error { given[name] = v; return nil }
	}
	fs.Func("config", "YAML file with settings (HEED_CONFIG)", keep("config"))
	for _, f := range config.Flags() {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			fs.Func(f.Name, f.Usage, keep(f.Name))
		}
	}
	return given
}

// colourful reports whether a file is a terminal whose owner likes colours. Source: no-color.org.
func colourful(f *os.File, getenv func(string) string) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
