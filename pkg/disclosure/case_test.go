package disclosure

import (
	"os"
	"testing"
)

// A text stands in itself in every language, and no report in a long text about something else.
func TestShare(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const (
		english = "XSS in the comment text. The text is not escaped: it is kept as it was written, and a script in it will run."
		chinese = "登录接口的用户名参数没有过滤，攻击者可以构造恶意语句绕过登录"
		korean  = "로그인 창에 ' or 1=1 -- 를 넣으면 누구나 로그인 할 수 있다."
	)
	for _, tt := range []struct {
		name, text, other string
		least, most       float64
	}{
		{"itself", english, english, 1, 1},
		{"short words only", "RCE in app / see PoC", "RCE in app / see PoC", 1, 1},
		{"without spaces", chinese, chinese + "。", 1, 1},
		{"short syllables", korean, "질문: " + korean, 1, 1},
		{"signs only", "../../", "../../", 0, 0},
		{"nothing", "", english, 0, 0},
		{"in other case and spaces", english, "xss  in the\r\ncomment text the text is not escaped it is kept as it was written and a SCRIPT in it will run", 1, 1},
		{"with more around it", english, "Hello. " + english + " Thanks!", 1, 1},
		{"half of it", english, english[:len(english)/2], .3, .6},
		{"a long text about something else", english, string(readme), 0, .4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Share(tt.text, tt.other); got < tt.least || got > tt.most {
				t.Errorf("%.2f, want %.2f to %.2f", got, tt.least, tt.most)
			}
		})
	}
}
