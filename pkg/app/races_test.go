package app_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
)

const (
	traversal  = "Path traversal in the download handler"
	traversalB = "GET /download?file=../../../../etc/passwd returns the file."
	milder     = "Security problem in the download handler"
)

// hidden: the public does not see these words in an issue.
func (r incident) hidden(n int, words string) {
	r.Helper()
	if s := r.see("", "acme/web", n); strings.Contains(s, words) {
		r.Errorf("public:\n%s\nThe tracker says:\n%s", s, r.see("mia", cases, 1))
	}
}

// Somebody retitles the issue while its text waits to be taken away: the hole is as open as before.
func TestRetitledWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	stop := r.lost("PATCH", "/issues/")
	n := r.opens("eve", traversal, traversalB)
	r.edits("eve", n, milder, traversalB)
	stop()
	r.ok(r.advance(48 * time.Hour))
	r.hidden(n, "etc/passwd")
}

func TestCommentShortenedWhileDeletionWaits(t *testing.T) {
	r := after(t, plain)
	n := r.opens("bob", "Search is slow", "With many users the search takes ten seconds.")
	stop := r.lost("DELETE", "/comments/")
	id := r.says("eve", "acme/web", n, traversal+": "+traversalB+" Anybody can read any file.")
	r.ok(r.sim.EditComment("eve", "acme/web", id, "There is a path traversal: "+traversalB))
	stop()
	r.ok(r.advance(48 * time.Hour))
	r.hidden(n, "etc/passwd")
}

// The author puts it back under a milder title; then writes something that may be more of it.
func TestPutBackInMilderWords(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", traversal, traversalB)
	r.edits("eve", n, milder, traversalB)
	r.ok(r.advance(time.Hour))
	r.hidden(n, "etc/passwd")
	r.edits("eve", n, susT, susB)
	r.ok(r.advance(time.Hour))
	if s := r.see("mia", cases, 1); !strings.Contains(s, "may tell more of this report") {
		t.Errorf("nobody is told:\n%s\n%s", r.see("", "acme/web", n), s)
	}
}

// work does every job that is due, once.
func (r incident) work() {
	ids, kinds, args, err := r.available()
	r.ok(err)
	for i, id := range ids {
		r.ok(r.world.work(id, kinds[i], args[i]))
	}
}

// redeliver brings every webhook that waits, and thinks about it.
func (r incident) redeliver() {
	for _, d := range r.sim.Pending() {
		r.ok(r.deliver(d))
	}
	r.work()
}

// Webhook and sweep tell of the same command at the same time. It is obeyed once.
func TestCommandToldTwiceAtOnce(t *testing.T) {
	r := after(t, plain)
	r.reports()
	r.ok(r.sweep())
	r.world.lost = true
	r.now = r.now.Add(20 * time.Minute)
	_, err := r.sim.CommentIssue("mia", cases, 1, "/ack Thank you, we are on it.")
	r.ok(err)
	r.now = r.now.Add(time.Minute)
	r.ok(r.app.Engine.Sweep(t.Context())) // finds the comment
	crossed := false
	r.before = func(q *http.Request) {
		if !crossed && strings.Contains(q.URL.Path, "memberships/mia") {
			crossed = true
			r.redeliver()
		}
	}
	r.work()
	r.world.lost = false
	r.ok(r.settle())
	if !crossed {
		t.Fatal("they did not cross")
	}
	s, err := r.sim.SeeAdvisory("rea", "acme/web", r.sim.Advisories("acme/web")[0])
	r.ok(err)
	if n := strings.Count(s, "we are on it"); n != 1 {
		t.Errorf("the reporter was told %d times:\n%s", n, s)
	}
}

// A leak was taken in, and before it could be thought about the App was taken out and put in again.
func TestLeakBeforeReinstallation(t *testing.T) {
	r := after(t, plain)
	r.ok(r.sweep())
	r.now = r.now.Add(61 * time.Minute)
	r.sim.SetFault(func(*http.Request, bool, int) hubsim.Fault { return hubsim.Lost })
	r.ok(r.powerOff())
	r.ok(r.powerOn())
	n := r.opens("eve", vulT, vulB)
	r.sim.Uninstall("acme")
	r.sim.Install("acme")
	r.sim.SetFault(nil)
	r.ok(r.settle())
	r.ok(r.advance(10 * time.Minute))
	r.hidden(n, "union select")
}

// The repository goes to an owner who has the App too, while the text waits to be taken away.
func TestTransferredWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	r.sim.AddOrg("zoo")
	r.sim.AddOwner("zoo", "lea")
	r.sim.Install("zoo")
	r.ok(r.settle())
	stop := r.lost("PATCH", "/issues/")
	n := r.opens("eve", vulT, vulB)
	r.sim.Transfer("acme/web", "zoo")
	r.ok(r.settle())
	stop()
	r.ok(r.advance(time.Hour))
	if s := r.see("lea", "zoo/web", n); strings.Contains(s, "union select") {
		t.Errorf("public after an hour:\n%s", s)
	}
}

// A push is thought about while another thought is reading the policy as it was. The new one counts.
func TestPushCrossesTheReadingOfThePolicy(t *testing.T) {
	r := after(t, plain)
	r.now = r.now.Add(61 * time.Minute) // it is read again
	crossed := false
	r.answered = func(q *http.Request) {
		if !crossed && strings.HasSuffix(q.URL.Path, "disclosure.yml") {
			crossed = true
			r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", plain+"mode: dry-run\n"))
			r.redeliver()
		}
	}
	r.opens("eve", susT, susB)
	if !crossed {
		t.Fatal("they did not cross")
	}
	n := r.opens("eve", vulT, vulB)
	if !strings.Contains(r.see("", "acme/web", n), "union select") {
		t.Error("after the push of mode: dry-run was thought about, Heed still acts")
	}
}

// The draft landed unanswered, and a maintainer edits it before it is looked for.
func TestDraftEditedBeforeItIsFound(t *testing.T) {
	r := after(t, plain)
	landed := false
	r.sim.SetFault(func(q *http.Request, _ bool, _ int) hubsim.Fault {
		switch {
		case landed:
			return hubsim.Lost
		case q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/security-advisories"):
			landed = true
			return hubsim.LandedUnanswered
		}
		return hubsim.None
	})
	r.opens("eve", vulT, vulB)
	a := r.advisory()
	r.ok(r.sim.EditAdvisory("lea", "acme/web", r.sim.Advisories("acme/web")[0], a.Summary, a.Description+"\n\nNote: see also /find."))
	r.sim.SetFault(nil)
	r.ok(r.advance(time.Hour))
	if n := len(r.sim.Advisories("acme/web")); n != 1 {
		t.Errorf("%d drafts of one report", n)
	}
}

// Issues and comments change while the pages are read: they move to the end, and leave nobody out.
func TestChangesBetweenPages(t *testing.T) {
	r := after(t, plain)
	r.now = r.now.Add(time.Hour)
	const many = 130 // more than a page
	since := r.now
	var comments []int64
	for i := range many {
		r.now = r.now.Add(time.Second)
		n, err := r.sim.OpenIssue("eve", "acme/web", fmt.Sprint("Typo ", i), "A typo.")
		r.ok(err)
		id, err := r.sim.CommentIssue("bob", "acme/web", n, "Same here.")
		r.ok(err)
		comments = append(comments, id)
	}
	inst := r.sim.Installation("acme")
	repos, err := r.app.Hub.Repos(t.Context(), inst)
	r.ok(err)
	web := repos[slices.IndexFunc(repos, func(x disclosure.Repo) bool { return x.Name == "web" })]
	changes := 0
	r.answered = func(*http.Request) {
		if changes++; changes < 5 {
			r.now = r.now.Add(time.Second)
			r.ok(r.sim.EditComment("bob", "acme/web", comments[changes], "Still here."))
			r.ok(r.sim.EditIssue("eve", "acme/web", 9+changes, "Typos", "Some typos."))
		}
	}
	issues, err := r.app.Hub.IssuesSince(t.Context(), inst, web, since)
	r.ok(err)
	changes = 20
	r.answered = func(*http.Request) {
		if changes++; changes < 25 {
			r.now = r.now.Add(time.Second)
			r.ok(r.sim.EditComment("bob", "acme/web", comments[changes], "Still here."))
		}
	}
	said, err := r.app.Hub.SaidSince(t.Context(), inst, web, since)
	r.ok(err)
	seen := map[int64]int{}
	for _, i := range issues {
		seen[int64(i.Number)]++
	}
	for _, f := range said {
		seen[f.Said.ID]++
	}
	for n := range int64(many) {
		if seen[n+1] != 1 || seen[comments[n]] != 1 {
			t.Errorf("issue %d is there %d times, its comment %d times", n+1, seen[n+1], seen[comments[n]])
		}
	}
}

// GitHub is so slow for one installation that the time of a sweep is over. The next one begins behind it.
func TestASlowInstallationKeepsNoOtherWaiting(t *testing.T) {
	r := after(t, plain)
	r.reports()
	r.sim.AddOrg("zoo")
	r.sim.AddRepo("zoo", "lib", false)
	r.sim.Install("zoo")
	r.ok(r.settle())
	looked := false
	for range 2 {
		r.now = r.now.Add(2 * time.Minute)
		ctx, over := context.WithCancel(t.Context())
		r.before = func(q *http.Request) {
			if strings.Contains(q.URL.Path, "/acme/") {
				over()
			}
			looked = looked || strings.Contains(q.URL.Path, "/zoo/")
		}
		r.ok(r.app.Engine.Sweep(ctx))
		over()
	}
	if !looked {
		t.Error("nobody looked at zoo")
	}
}

// A text of the project's own wording, or the policy, is too large for GitHub to give. Protection stays on.
func TestFilesThatGitHubWithholds(t *testing.T) {
	r := after(t, plain)
	large := "# " + strings.Repeat("x", 2<<20)
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/large.md", large))
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", plain+"wording: {reply: .github/large.md}\n"))
	r.ok(r.settle())
	if s := r.see("", "acme/web", r.opens("eve", vulT, vulB)); strings.Contains(s, "union select") {
		t.Errorf("with a large text:\n%s", s)
	}
}

// The last good policy stays in force when the next one is too large, also for who starts anew, and that is told.
func TestAPolicyThatGitHubWithholds(t *testing.T) {
	for _, mode := range []string{"act", "dry-run"} {
		t.Run(mode, func(t *testing.T) {
			good := plain + "mode: " + mode + "\n"
			r := after(t, good)
			r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", good+"# "+strings.Repeat("x", 2<<20)))
			r.ok(r.settle())
			r.ok(r.powerOff())
			r.ok(r.powerOn())
			if s := r.see("", "acme/web", r.opens("eve", vulT, vulB)); strings.Contains(s, "union select") != (mode == "dry-run") {
				t.Errorf("the last good policy is not in force:\n%s", s)
			}
			if s := get(r.world, "/readyz"); !strings.Contains(s, "the policy acme/web/.github/disclosure.yml has mistakes") {
				t.Errorf("nobody is told: %s", s)
			}
		})
	}
}

const (
	shortT = "XSS in the comment text"
	shortB = "The text is not escaped. It is kept as it was written and a script in it will run."
)

// What people write around our notice is theirs, however much its words are like those of a short report.
func TestHarmlessEditsStay(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", shortT, shortB)
	i, _ := r.sim.Issue("acme/web", n)
	for k := range 3 {
		r.edits("eve", n, i.Title, i.Body+fmt.Sprintf("\n\nSorry, I use private channels from now on (%d).", k))
		if s := r.see("", "acme/web", n); !strings.Contains(s, "Sorry") {
			t.Errorf("edit %d of eve was hidden:\n%s", k, s)
		}
	}
	r.edits("lea", n, "Moved", i.Body)
	if s := r.see("mia", cases, 1); strings.Contains(s, "put the report back") || strings.Contains(s, "may tell more") {
		t.Errorf("a false alarm:\n%s", s)
	}
}

const (
	asked   = "Please make the download handler look at the path of the file before it is opened"
	chinese = "登录接口的用户名参数没有过滤，攻击者可以构造恶意语句绕过登录并读取所有用户密码"
)

// What a maintainer puts back is theirs: the author may mend a word of it, and put no more of the report back.
func TestPutBackByAMaintainer(t *testing.T) {
	for _, tt := range []struct {
		name, title, body, theirs, authors string
		hidden                             bool
	}{
		{"defused, a word mended", traversal, traversalB + " " + asked + ".", asked + ".", asked + ", thanks.", false},
		{"as it was, a word mended", traversal, traversalB, traversalB, traversalB + " Thanks.", false},
		{"Chinese", "登录接口存在SQL注入漏洞", chinese, chinese, chinese + "。", false},
		{"defused, the rest put back", traversal, traversalB + " " + asked + ".", asked + ".", traversalB + " " + asked + ".", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := after(t, plain)
			n := r.opens("eve", tt.title, tt.body)
			if s := r.see("", "acme/web", n); strings.Contains(s, tt.body) {
				t.Fatal("it was never hidden")
			}
			r.edits("lea", n, tt.title, tt.theirs)
			r.edits("eve", n, tt.title, tt.authors)
			r.ok(r.advance(time.Hour))
			if s := r.see("", "acme/web", n); strings.Contains(s, tt.authors) == tt.hidden {
				t.Errorf("hidden should be %t:\n%s\n%s", tt.hidden, s, r.see("mia", cases, 1))
			}
		})
	}
}

// A maintainer put it back, and then had second thoughts.
func TestPutBackAndTakenAway(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", traversal, traversalB)
	i, _ := r.sim.Issue("acme/web", n)
	r.edits("lea", n, traversal, traversalB)
	r.edits("lea", n, i.Title, i.Body)
	r.edits("eve", n, traversal, traversalB+" Also.")
	r.ok(r.advance(time.Hour))
	r.hidden(n, "etc/passwd")
}

// A maintainer touches the issue while its text waits to be taken away: that is no putting back.
func TestRetitledByAMaintainerWhileBlankWaits(t *testing.T) {
	r := after(t, plain)
	stop := r.lost("PATCH", "/issues/")
	n := r.opens("eve", traversal, traversalB)
	r.edits("lea", n, "[download] "+traversal, traversalB)
	stop()
	r.ok(r.advance(48 * time.Hour))
	r.hidden(n, "etc/passwd")
	if s := r.see("mia", cases, 1); strings.Contains(s, "put the report back") {
		t.Errorf("a false alarm:\n%s", s)
	}
}

// The same text comes back under a title that means nothing to the detector, in words or in a language that it
// does not know.
func TestPutBackUnderAnotherTitle(t *testing.T) {
	const korean = "로그인 창에 ' or 1=1 -- 를 넣으면 누구나 로그인 할 수 있다."
	for _, tt := range []struct{ name, title, body, newTitle, newBody string }{
		{"word for word", traversal, traversalB, "Download handler", traversalB},
		{"in part", traversal, traversalB, "Download", "`/download?file=../../../../etc/passwd` returns the file."},
		{"Korean", "로그인 SQL 주입 취약점", korean, "질문", korean},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := after(t, plain)
			n := r.opens("eve", tt.title, tt.body)
			r.says("mia", cases, 1, "/security confirm")
			r.edits("eve", n, tt.newTitle, tt.newBody)
			r.ok(r.advance(time.Hour))
			r.hidden(n, tt.newBody)
		})
	}
}

// A further comment is shortened while its deletion waits.
func TestFurtherCommentShortened(t *testing.T) {
	r := after(t, plain)
	n := r.opens("eve", vulT, vulB)
	stop := r.lost("DELETE", "/comments/")
	id := r.says("eve", "acme/web", n, traversal+": "+traversalB+" Anybody can read any file.")
	r.ok(r.sim.EditComment("eve", "acme/web", id, "There is a path traversal: "+traversalB))
	stop()
	r.ok(r.advance(time.Hour))
	r.hidden(n, "etc/passwd")
}

// A case of an older version does not name the comments that were obeyed.
func TestCommandThatAnOlderVersionObeyed(t *testing.T) {
	r := after(t, plain)
	r.reports()
	r.ok(r.sweep())
	r.now = r.now.Add(time.Minute)
	r.says("mia", cases, 1, "/ack Thank you, we are on it.")
	c := r.kase()
	c.Obeyed = nil
	r.ok(r.app.Store.Write(t.Context(), r.now, func(tx *store.Tx) error { return tx.Save(t.Context(), c, nil, nil) }))
	r.now = r.now.Add(20 * time.Minute) // nobody was there
	r.ok(r.sweep())
	r.ok(r.settle())
	s, err := r.sim.SeeAdvisory("rea", "acme/web", r.sim.Advisories("acme/web")[0])
	r.ok(err)
	if n := strings.Count(s, "we are on it"); n != 1 {
		t.Errorf("the reporter was told %d times", n)
	}
}

// Many repositories wait for an App that was taken out: GitHub is asked once a minute where it is.
func TestOneProbeAMinute(t *testing.T) {
	r := after(t, plain)
	for k := range 20 {
		r.sim.AddRepo("acme", fmt.Sprint("r", k), false)
	}
	r.ok(r.settle())
	r.ok(r.sweep())
	r.sim.SetFault(func(*http.Request, bool, int) hubsim.Fault { return hubsim.Lost })
	r.ok(r.powerOff())
	r.ok(r.powerOn())
	for k := range 20 {
		_, err := r.sim.OpenIssue("eve", fmt.Sprint("acme/r", k), vulT, vulB)
		r.ok(err)
	}
	r.sim.Uninstall("acme")
	r.ok(r.settle())
	r.sim.SetFault(nil)
	probes := 0
	r.before = func(q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/installation") {
			probes++
		}
	}
	r.ok(r.advance(10 * time.Minute))
	if probes > 11 {
		t.Errorf("%d probes in ten minutes", probes)
	}
}

// The policy is mended while one of its texts cannot be read for a moment. That it was mended is noticed all the same.
func TestMendedWhileATextCannotBeRead(t *testing.T) {
	r := after(t, plain)
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure/reply.md", "Thank you, {{.Reporter}}."))
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", plain+"nonsense: 1\n"))
	r.ok(r.settle())
	if s := r.see("mia", cases, 1); !strings.Contains(s, "(open)") {
		t.Fatal(s)
	}
	stop := r.lost("GET", "/reply.md")
	r.ok(r.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", plain+"wording: {reply: .github/disclosure/reply.md}\n"))
	r.ok(r.settle())
	stop()
	r.ok(r.advance(time.Hour))
	if s := r.see("mia", cases, 1); strings.Contains(s, "(open)") {
		t.Errorf("still told after an hour:\n%s", s)
	}
}

// A push waits and is thought about again after a later one, of which everybody knew.
func TestAnOlderPushComesLater(t *testing.T) {
	r := after(t, plain)
	r.sim.AddRepo("acme", ".github", false)
	r.sim.AddRepo("acme", "lib", false)
	r.sim.Grant("acme/lib", "bob", "write")
	r.ok(r.sim.PushFile("lea", "acme/.github", "disclosure.yml", plain))
	r.ok(r.settle())
	stop := r.lost("GET", "/security-cases")
	r.ok(r.sim.PushFile("lea", "acme/.github", "disclosure.yml", plain+"mode: act\n"))
	r.ok(r.settle())
	_, err := r.sim.OpenIssue("bob", "acme/lib", susT, susB) // its policy is read
	r.ok(err)
	r.ok(r.settle())
	r.ok(r.sim.PushFile("lea", "acme/.github", "disclosure.yml", plain+"mode: dry-run\n"))
	r.ok(r.settle())
	stop()
	r.ok(r.advance(10 * time.Minute))
	n, err := r.sim.OpenIssue("eve", "acme/lib", vulT, vulB)
	r.ok(err)
	r.ok(r.settle())
	if s := r.see("", "acme/lib", n); !strings.Contains(s, "union select") {
		t.Error("Heed still acts")
	}
}

// The account was renamed, its old login taken by strangers who use Heed too, and then the rename is told.
func TestARenameThatComesLate(t *testing.T) {
	r := after(t, plain)
	r.reports()
	r.ok(r.sweep())
	r.sim.RenameAccount("acme", "acme-inc")
	for _, d := range r.sim.Pending() {
		r.sim.RecordDelivery(d.ID, http.StatusBadGateway)
	}
	r.sim.AddUser("mal")
	r.sim.AddOrg("acme")
	r.sim.AddOwner("acme", "mal")
	r.sim.AddRepo("acme", "web", false)
	strangers := r.sim.Install("acme")
	r.ok(r.settle())
	_, err := r.sim.OpenIssue("eve", "acme/web", vulT, vulB)
	r.ok(err)
	r.ok(r.settle())
	for range 4 {
		r.ok(r.advance(5 * time.Minute))
	}
	cs, err := r.app.Store.Cases(t.Context(), true)
	r.ok(err)
	for _, c := range cs {
		if theirs := c.Issue != 0; theirs != (c.Installation == strangers) || theirs && c.Repo.Owner != "acme" {
			t.Errorf("case %d is of %s, installation %d; the strangers have %d", c.ID, c.Repo, c.Installation, strangers)
		}
	}
}
