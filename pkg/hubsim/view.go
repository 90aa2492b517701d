package hubsim

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// readable finds a repository for a viewer; "404" if there is none for them.
func (s *Sim) readable(viewer, repo string) (*account, *repo, error) {
	who, err := s.viewer(viewer)
	if err != nil {
		return nil, nil, err
	}
	r := s.repos[s.names[fold(repo)]]
	if r == nil || s.level(who, r) == none {
		return nil, nil, errors.New("404")
	}
	return who, r, nil
}

// SeeIssue is an issue's page as text: "title (open) [labels] assignees", the
// body, then "login: text" per comment. Reactions follow in brackets. Hidden
// HTML comments stay hidden. The viewer "" or "public" is logged out.
func (s *Sim) SeeIssue(viewer, repo string, n int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, r, err := s.readable(viewer, repo)
	if err != nil {
		return "", err
	}
	i := r.issues[n]
	if i == nil || i.gone() {
		return "", errors.New("404")
	}
	state := i.state
	if i.locked {
		state += ", locked"
	}
	head := fmt.Sprintf("%s (%s)", i.title, state)
	if len(i.labels) > 0 {
		head += " [" + strings.Join(names(i.labels), ", ") + "]"
	}
	if len(i.assignees) > 0 {
		head += " " + strings.Join(logins(i.assignees), ", ")
	}
	out := []string{head, "", seen(i.body)}
	if x := faces(i.reactions); x != "" {
		out = append(out, x)
	}
	for _, c := range i.comments {
		out = append(out, "", strings.TrimSpace(c.author.login+": "+seen(c.body)+" "+faces(c.reactions)))
	}
	return page(out), nil
}

// SeeAdvisory is an advisory's page as text: "summary (state)", who is in it,
// the description, then "login: text" per comment. Comments are for those with
// access, also after publication; confidential ones for those with write
// access to the repository.
func (s *Sim) SeeAdvisory(viewer, repo, ghsa string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, r, err := s.readable(viewer, repo)
	if err != nil {
		return "", err
	}
	a := r.advisory(ghsa)
	if a == nil || r.private || a.state != "published" && s.access(who, a) == none {
		return "", errors.New("404")
	}
	out := []string{fmt.Sprintf("%s (%s)", a.summary, a.state)}
	add := func(what string, values ...string) {
		if values = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(values) > 0 {
			out = append(out, what+": "+strings.Join(values, ", "))
		}
	}
	add("severity", a.severity, a.cvss)
	add("cve", a.cve)
	for _, c := range a.credits {
		if a.state != "published" || c.state == "accepted" {
			add("credit", fmt.Sprintf("%s (%s, %s)", c.who.login, c.kind, c.state))
		}
	}
	if s.access(who, a) > none {
		in := logins(a.people)
		for _, t := range a.teams {
			in = append(in, "@"+t.org.login+"/"+t.slug)
		}
		add("collaborators", in...)
	}
	out = append(out, "", seen(a.description))
	if s.access(who, a) > none {
		for _, c := range a.comments {
			if c.confidential && s.level(who, r) < write {
				continue
			}
			out = append(out, "", c.author.login+": "+seen(c.body))
		}
	}
	return page(out), nil
}

// SeeRepo lists what a viewer finds in a repository: "#1 title (open)" per
// issue, then the published advisories. Empty if there is nothing.
func (s *Sim) SeeRepo(viewer, repo string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, r, err := s.readable(viewer, repo)
	if err != nil {
		return "", err
	}
	var out []string
	for _, n := range r.numbers() {
		out = append(out, fmt.Sprintf("#%d %s (%s)", n, r.issues[n].title, r.issues[n].state))
	}
	for _, a := range r.advisories {
		if a.state == "published" {
			out = append(out, fmt.Sprintf("%s %s (published)", a.ghsa, a.summary))
		}
	}
	if len(out) == 0 {
		return "", nil
	}
	return page(out), nil
}

// Issues returns the numbers of the issues that a viewer can read, ascending.
func (s *Sim) Issues(viewer, repo string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, r, err := s.readable(viewer, repo)
	if err != nil {
		return nil
	}
	return r.numbers()
}

// Advisories returns the GHSA ids of all of a repository's advisories, oldest
// first, whoever may read them.
func (s *Sim) Advisories(repo string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.lookup(repo)
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range r.advisories {
		out = append(out, a.ghsa)
	}
	return out
}

func (r *repo) numbers() []int {
	var out []int
	for n, i := range r.issues {
		if !i.gone() {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// Readable lists the places where a viewer can read the text: titles, bodies
// and comments, their edit history as long as nobody purged it, old titles in
// the timeline, labels, files, release notes, advisories with their comments.
func (s *Sim) Readable(viewer, text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, err := s.viewer(viewer)
	if err != nil {
		return nil
	}
	f := &finder{text: text}
	var all []*repo
	for _, r := range s.repos {
		if s.level(who, r) > none {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *repo) int { return int(a.id - b.id) })
	for _, r := range all {
		f.repo(r)
		for _, a := range r.advisories {
			in := s.access(who, a) > none
			if r.private || a.state != "published" && !in {
				continue
			}
			at := r.full() + " " + a.ghsa
			f.look(at+" summary", a.summary)
			f.look(at+" description", a.description)
			for _, c := range a.comments {
				if in && (!c.confidential || s.level(who, r) >= write) {
					f.comment(at, c)
				}
			}
		}
	}
	for _, g := range s.global {
		f.look("advisory database "+g.GHSA, g.Summary+"\n"+g.Description)
	}
	return f.found
}

type finder struct {
	text  string
	found []string
}

func (f *finder) look(where, text string) {
	if strings.Contains(text, f.text) {
		f.found = append(f.found, where)
	}
}

func (f *finder) comment(at string, c *comment) {
	at = fmt.Sprintf("%s comment %d", at, c.id)
	f.look(at, c.body)
	f.history(at, c.edits)
}

// history leaves the newest revision out: it is the text itself.
func (f *finder) history(at string, edits []*edit) {
	for i, e := range edits {
		if i < len(edits)-1 && e.deleted.IsZero() {
			f.look(fmt.Sprintf("%s edit history %d", at, i+1), e.text)
		}
	}
}

func (f *finder) repo(r *repo) {
	for _, n := range r.numbers() {
		i := r.issues[n]
		f.look(i.ref()+" title", i.title)
		f.look(i.ref()+" body", i.body)
		f.history(i.ref()+" body", i.edits)
		for _, e := range i.events {
			if was, ok := e.more["rename"].(obj); ok {
				from, _ := was["from"].(string)
				f.look(i.ref()+" title history", from)
			}
		}
		for _, c := range i.comments {
			f.comment(i.ref(), c)
		}
	}
	for _, l := range r.labels {
		f.look(r.full()+" label "+l.name, l.name+"\n"+l.description)
	}
	for _, x := range r.releases {
		f.look(r.full()+" release "+x.tag, x.tag+"\n"+x.body)
	}
	for path, content := range r.files {
		f.look(r.full()+" file "+path, content)
	}
}

// seen is text as the page shows it.
func seen(text string) string {
	return strings.TrimSpace(regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(text, ""))
}

func faces(list []*reaction) string {
	if len(list) == 0 {
		return ""
	}
	var out []string
	for _, x := range list {
		out = append(out, x.content)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func page(lines []string) string { return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n" }
