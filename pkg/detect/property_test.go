package detect

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	clearTitle   = "SQL injection in the invoice search"
	clearBody    = "The q parameter is concatenated into the query. An attacker can dump the whole database.\n\nPoC: `?q=' OR 1=1--`\n"
	everydayBody = "The export button does nothing in Firefox. Expected: a CSV file is downloaded.\n"
)

// noise is what base64 looks like, in lines as mail programs make them.
func noise(n int) string {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same noise every time
	raw := make([]byte, n*3/4)
	for i := range raw {
		raw[i] = byte(r.UintN(256)) //nolint:gosec // below 256
	}
	s := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	for line := range slices.Chunk([]byte(s), 76) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPaddingChangesNothing(t *testing.T) {
	t.Parallel()
	for name, padding := range map[string]string{
		"base64":   noise(64 << 10),
		"one line": strings.ReplaceAll(noise(64<<10), "\n", ""),
		"mentions": strings.Repeat("security ", 10000),
		"class":    strings.Repeat("@team see the XSS filter tests\n", 2000),
		"spaces":   strings.Repeat(" \n", 20000),
		"praise":   strings.Repeat("Thank you. ", 5000),
	} {
		if v := Read(clearTitle, clearBody+"\n"+padding); v.Class != Vulnerability || v.Probability < confident {
			t.Errorf("%s hides a clear report: %v %.3f", name, v.Class, v.Probability)
		}
		if v := Read("Export button broken", everydayBody+"\n"+padding); v.Probability >= suspect || v.Class != Ordinary {
			t.Errorf("%s makes a report of an ordinary issue: %v %.3f %q", name, v.Class, v.Probability, v.Why)
		}
	}
}

// disguises change how a text is written and not how it reads.
func disguises() map[string]func(string) string {
	like := strings.NewReplacer("a", "а", "e", "е", "o", "о", "c", "с", "p", "р", "x", "х", "i", "і")
	between := func(mark string) func(string) string {
		return func(s string) string {
			var b strings.Builder
			for _, r := range s {
				b.WriteRune(r)
				if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
					b.WriteString(mark)
				}
			}
			return b.String()
		}
	}
	wide := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r - '!' + '！'
			}
			return r
		}, s)
	}
	bold := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r - 'a' + '𝐚'
			}
			return r
		}, s)
	}
	return map[string]func(string) string{
		"upper case": strings.ToUpper, "look-alikes": like.Replace, "full width": wide, "mathematical": bold,
		"zero width": between("\u200b"), "soft hyphen": between("\u00ad"), "combining": between("\u0335"),
		"variation": between("\ufe0f"), "word joiner": between("\u2060"), "tags": between("\U000E0041"),
		"bidi": between("\u202e"), "crlf": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	}
}

func TestDisguisesChangeNothing(t *testing.T) {
	t.Parallel()
	plain := Read(clearTitle, clearBody)
	for name, disguise := range disguises() {
		v := Read(disguise(clearTitle), disguise(clearBody))
		if v.Class != plain.Class || v.Probability != plain.Probability {
			t.Errorf("%s: %v %.4f, plain %v %.4f", name, v.Class, v.Probability, plain.Class, plain.Probability)
		}
		if v := Read(disguise("Export button broken"), disguise(everydayBody)); v.Class != Ordinary {
			t.Errorf("%s makes an ordinary issue %v", name, v.Class)
		}
	}
}

// What nobody sees on the page, and what the template says, is not the author's word.
func TestUnseenTextDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"comment":   "<!-- " + clearTitle + ". " + clearBody + " -->\n" + everydayBody,
		"comments":  "<!--\n" + clearBody + "\n-->\n" + everydayBody + "<!-- " + clearBody + "-->",
		"task":      "- [ ] " + strings.ReplaceAll(clearBody, "\n", " ") + "\n\n" + everydayBody,
		"log":       "```\nWARN XSS filter: attacker injection blocked\nGET /etc/passwd 404\n```\n" + everydayBody,
		"link":      "[docs](https://example.org/sql-injection/attacker-can-execute-arbitrary-code)\n" + everydayBody,
		"template":  "For security vulnerabilities such as XSS that let an attacker execute arbitrary code, do not open a public issue.\n\n" + everydayBody,
		"long path": "/usr/lib/sql_injection/xss.py\n" + everydayBody,
	} {
		if v := Read("Export button broken", body); v.Class != Ordinary || v.Probability >= suspect {
			t.Errorf("%s: %v %.3f %q", name, v.Class, v.Probability, v.Why)
		}
	}
}

func TestOpenMarksHideNothing(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"comment": "<!-- describe the problem below\n" + clearBody,
		"span":    "We saw this on a `staging host.\n" + clearBody,
		"quote":   "> Please describe\n\n" + clearBody,
	} {
		if v := Read(clearTitle, body); v.Class != Vulnerability || v.Probability < confident {
			t.Errorf("%s: %v %.3f %q", name, v.Class, v.Probability, v.Why)
		}
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	v := Read(clearTitle, clearBody)
	if len(v.Why) == 0 || len(v.Why) > whyPhrases || v.Why[0] != "SQL injection" {
		t.Errorf("why: %q", v.Why)
	}
	for _, w := range v.Why {
		if !strings.Contains(clearTitle+"\n"+clearBody, w) {
			t.Errorf("%q does not stand in the text", w)
		}
	}
	if again := Read(clearTitle, clearBody); !slices.Equal(again.Why, v.Why) {
		t.Errorf("why changed from %q to %q", v.Why, again.Why)
	}
}

// The table must mean what it says: every phrase finds itself.
func TestEveryPhraseIsFound(t *testing.T) {
	t.Parallel()
	m := theModel()
	for _, e := range table() {
		for phrase := range strings.SplitSeq(e.phrases, "|") {
			text := strings.NewReplacer("#y", "2021", "#", "12345").Replace(phrase)
			k := m.matcher()
			k.inTitle = true
			scan(text, true, m.folds, k)
			hit := false
			for _, uses := range m.uses {
				for _, u := range uses {
					hit = hit || k.best[u.id].value > 0
				}
			}
			if !hit && e.group != gTemplate {
				t.Errorf("phrase %q of group %d is not found in itself", phrase, e.group)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("", "")
	f.Add(clearTitle, clearBody)
	f.Add("`", "```\n<!-- \n> - [ ] x\n~~~\n`` ` ``` <!---->|")
	f.Add("漏洞\xff\xfe", "攻击者\u200b\U000E0041ＸＳＳ http://x/<>\r\n\x00")
	f.Add(strings.Repeat("a", 100), strings.Repeat("ﷺ", 50))
	f.Fuzz(func(t *testing.T, title, body string) {
		v := Read(title, body)
		if !(v.Probability >= 0 && v.Probability <= 1) {
			t.Errorf("probability %v", v.Probability)
		}
		if (v.Class == Vulnerability) != (v.Probability >= suspect) {
			t.Errorf("%v with %v", v.Class, v.Probability)
		}
		if len(v.Why) > whyPhrases {
			t.Errorf("%d reasons", len(v.Why))
		}
		for _, w := range v.Why {
			if !utf8.ValidString(w) || len(w) > whyBytes+len("…") || strings.ContainsAny(w, "\r\n") {
				t.Errorf("reason %q", w)
			}
		}
	})
}

func hostile() map[string]string {
	fill := func(s string) string { return strings.Repeat(s, maxRead/len(s)+1)[:maxRead] }
	return map[string]string{
		"base64":      noise(maxRead * 76 / 77)[:maxRead],
		"one word":    fill("a"),
		"letters":     fill("b "),
		"phrases":     fill("an attacker can execute arbitrary code by sql injection "),
		"prefixes":    fill("regular expression denial of regular expression "),
		"han":         fill("漏洞攻击者可以读取任意文件"),
		"one han":     fill("任"),
		"expanding":   fill("ﷺ"),
		"emoji":       fill("😀"),
		"invisible":   fill("\u200b"),
		"combining":   fill("a\u0335"),
		"look-alikes": fill("ѕԛl іnјесtіоn "),
		"backticks":   fill("` `` ``` ```` "),
		"fences":      fill("```\n~~~\n"),
		"comments":    fill("<!--"),
		"comments2":   fill("<!-- -->"),
		"comments3":   fill("<!--\n-->"),
		"quotes":      fill("> "),
		"lines":       fill("\n"),
		"stops":       fill("xss. "),
		"links":       fill("http://a "),
		"link":        fill("http://"),
		"numbers":     fill("cve-2021-1 "),
		"invalid":     fill("\xff"),
		"thai":        fill("ช่องโหว่"),
	}
}

func BenchmarkRead64K(b *testing.B) {
	Read("", "")
	for name, body := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Read(clearTitle, body)
			}
		})
	}
}

func BenchmarkReadOrdinary(b *testing.B) {
	body := strings.Repeat(everydayBody+"\n```\nTypeError: x is undefined\n    at Object.<anonymous> (/app/src/index.js:10:5)\n```\n", 8)
	Read("", "")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Read("Export button broken", body)
	}
}

func BenchmarkModel(b *testing.B) {
	for b.Loop() {
		newModel()
	}
}

// A phrase that stands twice has two weights, of which only the first counts.
func TestNoPhraseStandsTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]float32{}
	for _, e := range table() {
		for phrase := range strings.SplitSeq(e.phrases, "|") {
			key := fmt.Sprintf("%q of group %d", phrase, e.group)
			if before, ok := seen[key]; ok {
				t.Errorf("%s stands there with weight %v and with %v", key, before, e.weight)
			}
			seen[key] = e.weight
		}
	}
}
