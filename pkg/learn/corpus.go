// Package learn makes the detector's model of labelled issues, and says how good it is on repositories
// that it has not seen. It is deterministic: the same issues give the same bytes.
package learn

import (
	"hash/fnv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/heed-app/heed/pkg/detect"
)

// An Issue is a text with what it is.
type Issue struct {
	ID, Repo, Title, Body, Label, Category, Source, Lang string

	SecurityClean int `json:"security_clean"` // of Jira issues
	SecurityNoisy int `json:"security_noisy"`

	Kind Kind `json:"-"`
}

// Kind says where an issue comes from.
type Kind int

// Kinds of issues.
const (
	Labelled  Kind = iota // read one by one
	Stream                // as they came; assumed ordinary
	Auxiliary             // of another world: advisories, Jira
	Written               // by us, for training
)

// class gives what a label teaches; false: nothing.
func (i *Issue) class() (detect.Class, bool) {
	if i.Kind == Auxiliary {
		if i.Label == "vulnerability-advisory" {
			return detect.Vulnerability, true
		}
		return detect.Ordinary, i.SecurityClean == 0 && i.SecurityNoisy == 0
	}
	switch i.Label {
	case "vulnerability":
		return detect.Vulnerability, true
	case "contact-request":
		return detect.ContactRequest, true
	case "dependency-cve":
		return detect.DependencyCVE, true
	case "spam":
		return detect.Spam, true
	case "ordinary", "assumed-ordinary":
		return detect.Ordinary, true
	}
	return "", false // ambiguous, or not read
}

// excerpt is how many bytes of a body are looked at: those that were labelled by hand are excerpts of
// that length, and otherwise the length itself would tell.
const excerpt = 500

func cut(s string) string {
	if len(s) <= excerpt {
		return s
	}
	s = s[:excerpt]
	for r, size := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && size == 1; r, size = utf8.DecodeLastRuneInString(s) {
		s = s[:len(s)-1] // half a character
	}
	if i := strings.LastIndexAny(s, " \n\t"); i > excerpt/2 {
		s = s[:i]
	}
	return s
}

// doc is an issue as the model sees it.
type doc struct {
	*Issue
	class detect.Class
	known bool // it teaches something
	fold  int  // -1: it is learnt from and never judged
	many  int  // issues of its repository
	seen  *detect.Observation

	logit   [detect.Heads]float64 // by a model that has not seen its repository
	score   float64
	doubted bool // assumed ordinary, and most likely a report
}

// folds is into how many parts the repositories are cut.
const folds = 5

// foldOf keeps a repository together. The largest one, which is half of all, is a fold by itself.
func foldOf(repo, largest string) int {
	if repo == largest {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(repo))) // never fails
	return 1 + int(h.Sum32()%(folds-1))
}

// observe reads all issues once. What was labelled by hand is not taken from the stream again.
func observe(all []Issue) []*doc {
	many, largest, once := map[string]int{}, "", map[string]bool{}
	for i := range all {
		if k := all[i].Kind; k == Labelled || k == Stream {
			many[all[i].Repo]++
		}
		once[all[i].ID] = once[all[i].ID] || all[i].Kind == Labelled
	}
	for repo, n := range many {
		if n > many[largest] || n == many[largest] && repo < largest {
			largest = repo
		}
	}
	var docs []*doc
	for i := range all {
		is := &all[i]
		if is.Kind == Stream && once[is.ID] {
			continue
		}
		d := &doc{Issue: is, fold: -1, many: many[is.Repo]}
		d.class, d.known = is.class()
		if is.Kind == Labelled || is.Kind == Stream {
			d.fold = foldOf(is.Repo, largest)
		}
		docs = append(docs, d)
	}
	const workers = 4
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(docs); i += workers {
				docs[i].seen = detect.Observe(docs[i].Title, cut(docs[i].Body))
			}
		})
	}
	wg.Wait()
	return docs
}
