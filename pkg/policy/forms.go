package policy

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A form is a shape of text: one pattern for the parser and the schema.
type form struct {
	noun    string // "a login"
	pattern *regexp.Regexp
	example string
	mend    func(string) string // what was probably meant; may be nil
	also    func(string) bool   // what a pattern cannot say; may be nil
	secret  bool                // never repeated in a mistake: mistakes are shown to people
}

func (f form) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": f.pattern.String()}
}

func (f form) fits(s string) bool {
	return f.pattern.MatchString(s) && (f.also == nil || f.also(s))
}

func (f form) judge(s string) complaint {
	if f.fits(s) {
		return complaint{}
	}
	c := complaint{quote(s) + " is not " + f.noun, "write it like " + f.example}
	if f.secret {
		c.message = "this is not " + f.noun
		return c
	}
	if f.mend != nil {
		if mended := f.mend(s); mended != s && f.fits(mended) {
			c.fix = didYouMean(mended)
		}
	}
	return c
}

// forms are the shapes of names. They are made once per table: compiling a pattern costs more than
// reading a file.
type forms struct {
	slug, login, mention, repo, host, path, branch, tags, env, line, label, name, calendar form
}

func newForms() forms {
	re := regexp.MustCompile
	return forms{
		slug: form{noun: "a team's slug", pattern: re(`^[a-z0-9][a-z0-9_-]*$`), example: "security", mend: func(s string) string {
			return strings.ReplaceAll(strings.ToLower(s[strings.LastIndex(s, "/")+1:]), " ", "-")
		}},
		// Underscores: accounts of enterprises. [bot]: how GitHub shows an App.
		login: form{noun: "a login", pattern: re(`^[A-Za-z0-9][A-Za-z0-9_-]{0,60}(\[bot\])?$`), example: "mia", mend: trimAt},
		mention: form{
			noun: "a person or team to mention", pattern: re(`^@[A-Za-z0-9][A-Za-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)?$`),
			example: `"@mia" or "@acme/leads"`, mend: func(s string) string { return "@" + s },
		},
		repo: form{
			noun:    "a repository",
			pattern: re(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$`),
			example: "owner/name", mend: trimURL,
		},
		host: form{noun: "a host name", pattern: re(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`), example: "acme.example", mend: trimURL},
		path: form{
			noun: "a path in the repository", pattern: re(`^[^/\s\\][^\\\x00-\x1f]*$`), example: ".github/disclosure/reply.md",
			mend: func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "."), "/") }, also: inside,
		},
		branch: form{noun: "a branch", pattern: re(`^[^\s~^:?*\[\\]+$`), example: "main"},
		tags:   form{noun: `a tag pattern with exactly one "*"`, pattern: re(`^[^*\s]*\*[^*\s]*$`), example: "v*"},
		env: form{
			noun: "the name of an environment variable for a notifier", pattern: re(`^[A-Za-z_][A-Za-z0-9_]*$`), example: "SLACK_WEBHOOK",
			secret: true, also: foreign,
		},
		line:  form{noun: "one line of text", pattern: re(`^\S(.*\S)?$`), example: `"security@acme.example"`},
		label: form{noun: "a label", pattern: re(`^.{0,50}$`), example: "moved"},
		name:  form{noun: "a name", pattern: re(`^[A-Za-z0-9][A-Za-z0-9_-]*$`), example: "office"},
		calendar: form{
			noun: "a name for a calendar of your own", pattern: re(`^[A-Za-z0-9][A-Za-z0-9_-]*$`), example: "office",
			also: func(s string) bool { return s != "always" },
		},
	}
}

// trimAt takes off the sign with which logins are mentioned.
func trimAt(s string) string { return strings.TrimPrefix(s, "@") }

// trimURL turns an address pasted from a browser or a clone command into what it is about.
func trimURL(s string) string {
	for _, scheme := range []string{"https://", "http://"} {
		s = strings.TrimPrefix(s, scheme)
	}
	s = strings.TrimPrefix(s, "github.com/")
	return strings.TrimSuffix(strings.TrimSuffix(s, "/"), ".git")
}

// inside reports whether a path stays in the repository.
func inside(s string) bool {
	clean := path.Clean(s)
	return clean != "." && clean != ".." && !strings.HasPrefix(clean, "../")
}

// foreign reports whether a variable is not one of Heed's own settings. A policy is written by
// people of one repository, the environment belongs to the operator: no policy may send a request
// to an "address" that is the App's private key or the database's password.
func foreign(name string) bool {
	name = strings.ToUpper(name)
	return !strings.HasPrefix(name, "GITHUB_") && !strings.HasPrefix(name, "HEED_DATA")
}

// quote repeats what a person wrote, shortened, with control characters made visible.
func quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if utf8.RuneCountInString(s) <= 40 {
		return s
	}
	return string([]rune(s)[:40]) + "…"
}

func didYouMean(s string) string { return "did you mean " + strconv.Quote(s) + "?" }

// hint offers the nearest right spelling or, if nothing is near, all of them. Up to a third of the
// letters may differ: beyond that the guess is more often wrong than helpful. Long texts are not
// compared at all, they are no slips of the finger and would cost time.
func hint(s string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	if len(s) <= 40 {
		fold := strings.NewReplacer("-", "_", " ", "_")
		near := func(k string) int {
			return distance(fold.Replace(strings.ToLower(s)), fold.Replace(strings.ToLower(k)))
		}
		best := slices.MinFunc(known, func(a, b string) int { return near(a) - near(b) })
		if near(best) <= max(1, len(best)/3) {
			return didYouMean(best)
		}
	}
	return "known here: " + strings.Join(known, ", ")
}

// distance counts the letters to add, drop, change or swap with a neighbour (optimal string
// alignment): the slips that fingers make.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
