package app_test

import (
	"strings"
)

const dayPolicy = `version: 1
team: security
tracker: acme/security-cases
coordinators: [mia]
public_reports:
  confident: [blank, advisory, reply, close, label]
  labels: {redirected: moved, dependency: deps, contact: asked}
`

// A deed is what a person does, as soon as he sees what he needs for it.
type deed struct {
	name  string
	ready func(*world) bool
	do    func(*world) error
}

// Texts of the day. Everything in them that is to stay secret begins with "canary-".
const (
	dayLeak    = "The parameter q is not escaped (canary-q). An attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure, CVSS 9.8."
	dayAgain   = "The parameter q of /find is put into the query too (canary-find). An attacker can use it to drop table users. SQL injection with full impact. PoC: ' ; drop table users--"
	dayMore    = "Here is a second proof of concept for the SQL injection (canary-sleep): an attacker sends `q=x' or sleep(10)--` and reads the password hashes one by one, without authentication. The impact is critical, CVSS 9.8, all versions are vulnerable."
	dayComment = "There is an SQL injection in this search: the parameter q is not escaped (canary-search), and an attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure of the database, CVSS 9.8, all versions are affected."
	dayUndone  = "The parameter q is not escaped in our own test page. An attacker can read every password hash.\n\nPoC: `' union select password from users--`. Impact: full disclosure, CVSS 9.8."
	daySuspect = "I opened the settings in a second tab and was not asked to log in. Is this intended?"
)

// day is what happens: reports of every kind, and what people make of them.
func day() []deed {
	return append(morning(), afternoon()...)
}

func morning() []deed {
	return []deed{
		{"rea reports", always, reports("rea", "Deadly header")},
		{"eve leaks", always, issue("eve", "SQL injection in the search field lets anyone read the user table", dayLeak)}, // #1
		{"bob asks", always, issue("bob", "Search is slow", "With many users the search takes ten seconds.")},             // #2
		{"eve leaks below it", always, remark("eve", 2, dayComment)},
		{"eve wonders", always, issue("eve", "Settings page opens without login", daySuspect)},                                                                                              // #3
		{"eve wonders twice", always, issue("eve", "Profile page opens without login", daySuspect)},                                                                                         // #4
		{"eve asks how", always, issue("eve", "How do I report a security vulnerability?", "I found a security issue and would like to report it privately. Is there a security contact?")}, // #5
		{"somebody phishes", always, issue("tom", "Security Alert: Unusual access attempt on your GitHub account", "We detected a login attempt on your GitHub account from a new location. If you do not recognize this activity, your account may be compromised. Update your password now: https://github-security.example.net/verify\n\nGitHub Security Team")}, // #6
		{"rea bumps", always, issue("rea", "Bump lodash to 4.17.21", "npm audit reports CVE-2021-23337 in lodash 4.17.20. Please update the dependency.")},                                                                                                                                                                                                          // #7
		{"bob says more", always, func(w *world) error {
			return w.sim.EditIssue("bob", "acme/web", 2, "Search is slow", "It really takes ten seconds.")
		}},
		{"bob chats", always, remark("bob", 3, "I cannot see that here.")},
		{"eve leaks from a test", always, issue("eve", "SQL injection in the test page lets anyone read the user table", dayUndone)}, // #8
		{"rea reports again", always, reports("rea", "Second header")},
		{"rea reports once more", always, reports("rea", "Third header")},
	}
}

func afternoon() []deed {
	const first, second, third = "Deadly header", "Second header", "Third header"
	leak, below := "SQL injection in the search field", "Comment on #2"
	return []deed{
		{"mia acknowledges", tracked(first, ""), order("mia", first, "/ack We have it.")},
		{"mia confirms", tracked("#3:", ""), order("mia", "#3:", "/confirm")},
		{"mia dismisses", tracked("#4:", ""), remark("mia", 4, "/security not-security")},
		{"eve puts it back", gone(1), func(w *world) error {
			return w.sim.EditIssue("eve", "acme/web", 1, "SQL injection in the search field, also in /find", dayAgain)
		}},
		{"mia undoes", both(gone(8), tracked("#8:", "")), order("mia", "#8:", "/not-security")},
		{"eve says more", both(gone(1), tracked("#1:", "")), remark("eve", 1, dayMore)},
		{"mia accepts", tracked(first, "**Answered**"), order("mia", first, "/accept")},
		{"mia answers", both(gone(2), tracked("#2:", "")), func(w *world) error { return answer(w, below, "Thank you, we look into it.") }},
		{"lea closes", tracked(second, ""), func(w *world) error { return w.sim.CloseAdvisory("lea", "acme/web", advisoryOf(w, second)) }},
		{"lea accepts", tracked(third, ""), func(w *world) error { return w.sim.AcceptAdvisory("lea", "acme/web", advisoryOf(w, third)) }},
		{"mia declines", tracked("#2:", "**Answered**"), order("mia", "#2:", "/decline documented")},
		{"mia mistypes", tracked(third, "release owed"), order("mia", third, "/severity terrible")},
		{"mia rates", both(gone(1), tracked("#1:", "")), func(w *world) error { return answer(w, leak, "/security severity high") }},
		{"lea names the version", tracked(first, "release owed"), func(w *world) error { return w.sim.SetPatched("acme/web", advisoryOf(w, first), "1.2.3") }},
		{"lea releases", always, func(w *world) error { return w.sim.PublishRelease("lea", "acme/web", "v1.2.3") }},
		{"lea publishes", told(first, "v1.2.3"), func(w *world) error {
			w.sim.AllowPublish(advisoryOf(w, first))
			return w.sim.PublishAdvisory("lea", "acme/web", advisoryOf(w, first))
		}},
		{"lea ticks the rest", listed(first, "[x] Advisory published"), func(w *world) error {
			n := trackerOf(w, first, "release for")
			i, _ := w.sim.Issue("acme/security-cases", n)
			return w.sim.EditIssue("lea", "acme/security-cases", n, i.Title, tickLines(i.Body, "everything"))
		}},
	}
}

func always(*world) bool { return true }

func both(a, b func(*world) bool) func(*world) bool {
	return func(w *world) bool { return a(w) && b(w) }
}

func reports(login, title string) func(*world) error {
	return func(w *world) error {
		_, err := w.sim.Report(login, "acme/web", title, "canary-"+title)
		return err
	}
}

func issue(login, title, body string) func(*world) error {
	return func(w *world) error {
		_, err := w.sim.OpenIssue(login, "acme/web", title, body)
		return err
	}
}

func remark(login string, n int, text string) func(*world) error {
	return func(w *world) error {
		_, err := w.sim.CommentIssue(login, "acme/web", n, text)
		return err
	}
}

// order is a command in the tracker.
func order(login, of, text string) func(*world) error {
	return func(w *world) error {
		_, err := w.sim.CommentIssue(login, "acme/security-cases", trackerOf(w, of, ""), text)
		return err
	}
}

// answer is a comment on an advisory, found by the beginning of its summary.
func answer(w *world, of, text string) error {
	_, err := w.sim.CommentAdvisory("mia", "acme/web", advisoryOf(w, of), text)
	return err
}

func advisoryOf(w *world, of string) string {
	for _, ghsa := range w.sim.Advisories("acme/web") {
		if a, _ := w.sim.AdvisoryOf("acme/web", ghsa); strings.HasPrefix(a.Summary, of) {
			return ghsa
		}
	}
	return ""
}

// trackerOf finds the issue in the tracker of a public issue ("#3:") or of an advisory. with is what
// its title has besides.
func trackerOf(w *world, of, with string) int {
	if !strings.HasPrefix(of, "#") {
		of = advisoryOf(w, of)
	}
	for _, n := range w.sim.Issues("lea", "acme/security-cases") {
		if i, _ := w.sim.Issue("acme/security-cases", n); of != "" && strings.Contains(i.Title, of) && strings.Contains(i.Title, with) {
			return n
		}
	}
	return 0
}

// tracked: the tracker says something of a case.
func tracked(of, what string) func(*world) bool {
	return func(w *world) bool {
		i, ok := w.sim.Issue("acme/security-cases", trackerOf(w, of, ""))
		return ok && strings.Contains(i.Body, what)
	}
}

// listed: the checklist of an accepted report says something.
func listed(of, what string) func(*world) bool {
	return func(w *world) bool {
		i, ok := w.sim.Issue("acme/security-cases", trackerOf(w, of, "release for"))
		return ok && strings.Contains(i.Body, what)
	}
}

// told: our comments on an advisory say something.
func told(of, what string) func(*world) bool {
	return func(w *world) bool {
		a, _ := w.sim.AdvisoryOf("acme/web", advisoryOf(w, of))
		for _, c := range a.Comments {
			if strings.Contains(c.Body, what) {
				return true
			}
		}
		return false
	}
}

// gone: the text of an issue, or of the comments below it, is out of sight.
func gone(n int) func(*world) bool {
	return func(w *world) bool {
		text, err := w.sim.SeeIssue("public", "acme/web", n)
		return err == nil && !strings.Contains(text, "password hash") && !strings.Contains(text, "drop table")
	}
}
