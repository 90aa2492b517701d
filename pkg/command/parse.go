package command

import (
	"fmt"
	"strings"
)

// A Command is one line that asks for something.
type Command struct {
	Word Word
	Args []string // exactly Word.Args of them
	Text string   // free text after the arguments
	Line string   // as written, for the answer
	Err  string   // the person's mistake, as a sentence; "" if there is none
}

// most is how many commands of one comment are read. More is somebody playing.
const most = 10

// Parse reads the commands of one comment. A command is a line that starts with /security or
// /sec; in the tracker the word alone will do. Code, quotes and HTML comments never command.
// A line whose word is not in the table is a mistake there where the prefix shows that we were
// meant, and nothing at all otherwise.
func Parse(body string, place Place) []Command {
	if !strings.Contains(body, "/") {
		return nil
	}
	var out []Command
	for _, line := range prose(body) {
		if c, ok := parseLine(line, place); ok && len(out) < most {
			out = append(out, c)
		}
	}
	return out
}

func parseLine(line string, place Place) (Command, bool) {
	rest, named := cutPrefixWord(line, "/security")
	if !named {
		rest, named = cutPrefixWord(line, "/sec")
	}
	if !named {
		if place != Tracker || !strings.HasPrefix(line, "/") {
			return Command{}, false
		}
		rest = line[1:]
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	name = strings.ToLower(name)
	w, known := find(name)
	if !known {
		if near, d := nearest(name, place); !named && (len(near) < 6 || d > 1) {
			return Command{}, false // somebody else's command, or a path
		}
		return Command{Line: line, Err: unknown(name, place)}, true
	}
	c := Command{Word: w, Line: line}
	fields := strings.Fields(rest)
	switch {
	case place == Public && !w.Public:
		c.Err = "`" + w.Name + "` is not used in public; please use it in the tracker or on the advisory."
	case w.Later:
		c.Err = "`" + w.Name + "` is not available yet."
	case len(fields) < w.Args:
		c.Err = strings.TrimSpace("`" + w.Name + "` wants: `/security " + w.Name + " " + w.Usage + "`. " + w.Values)
	case w.NoText && len(fields) > w.Args:
		c.Err = fmt.Sprintf("`%s` takes nothing more: `%s`.", w.Name, strings.TrimSpace("/security "+w.Name+" "+w.Usage))
	default:
		c.Args = fields[:w.Args]
		c.Text = after(rest, w.Args)
	}
	return c, true
}

// after drops n fields and gives the rest as written.
func after(s string, n int) string {
	for range n {
		s = strings.TrimLeft(s, " \t")
		if i := strings.IndexAny(s, " \t"); i >= 0 {
			s = s[i:]
		} else {
			s = ""
		}
	}
	return strings.TrimSpace(s)
}

func cutPrefixWord(line, word string) (string, bool) {
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return "", false
	}
	rest := line[len(word):]
	return rest, rest == "" || rest[0] == ' ' || rest[0] == '\t'
}

func find(name string) (Word, bool) {
	for _, w := range Words() {
		if w.Name == name {
			return w, true
		}
	}
	return Word{}, false
}

func unknown(name string, place Place) string {
	if name == "" {
		return "Which command? `/security help` lists them."
	}
	if best, _ := nearest(name, place); best != "" {
		return "There is no such command. Did you mean `/security " + best + "`?"
	}
	return "There is no such command. `/security help` lists them."
}

// nearest is the word of a place that is spelt most like one that does not exist, and how far it is; "" when
// none is near.
func nearest(name string, place Place) (best string, dist int) {
	dist = 3
	for _, w := range Words() {
		if w.Later || place == Public && !w.Public {
			continue
		}
		if d := distance(name, w.Name); d < dist {
			best, dist = w.Name, d
		}
	}
	return best, dist
}

// distance is the Levenshtein distance, for the nearest right spelling. Words are cut at 20
// letters: longer ones are near nothing.
func distance(a, b string) int {
	if len(a) > 20 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// Help lists the commands of a place as Markdown.
func Help(place Place) string {
	var b strings.Builder
	b.WriteString("| command | does |\n|---|---|\n")
	for _, w := range Words() {
		if w.Later || place == Public && !w.Public {
			continue
		}
		does := w.Does
		if w.Values != "" {
			does += ". " + w.Values
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimSpace("/security "+w.Name+" "+w.Usage), does)
	}
	return b.String()
}
