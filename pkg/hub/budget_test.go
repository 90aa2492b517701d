package hub

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryCallIsObserved(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		script     script
	}{
		{"done", "read ok", script{answer: says(http.StatusOK, `{}`)}},
		{"no answer", "read again", script{answer: breaks(errors.New("reset"))}},
		{"an answer from a bad day", "read again", script{answer: says(http.StatusBadGateway, ``)}},
		{"wrong credentials", "read unauthorized", script{answer: says(http.StatusUnauthorized, `{}`)}},
		{"no token for wrong credentials", "read unauthorized", script{token: says(http.StatusUnauthorized, `{}`), answer: says(http.StatusOK, `{}`)}},
		{"limited", "read limited", script{answer: says(http.StatusTooManyRequests, `{}`)}},
		{"refused", "read refused", script{answer: says(http.StatusForbidden, `{}`)}},
		{"gone", "read gone", script{answer: says(http.StatusNotFound, `{}`)}},
		{"suspended", "read suspended", script{token: says(http.StatusForbidden, `{}`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := scripted(t, &tt.script)
			var got []string
			h.config.Observe = func(kind, outcome string, took time.Duration) {
				got = append(got, kind+" "+outcome)
				if took < 0 {
					t.Errorf("took %s", took)
				}
			}
			_, _ = h.Repo(t.Context(), 5, "acme", "web")
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheLeastBudgetIsTold(t *testing.T) {
	t.Parallel()
	left := 4000
	h := scripted(t, &script{answer: func(string) reply {
		left--
		return reply{status: http.StatusOK, body: `{}`, header: []string{
			"X-RateLimit-Resource", "core", "X-RateLimit-Remaining", strconv.Itoa(left), "X-RateLimit-Reset", strconv.FormatInt(start.Add(time.Minute).Unix(), 10),
		}}
	}})
	want := Budget{Points: mostPoints, Creations: mostCreations, Hourly: mostHourly, Core: -1, GraphQL: -1}
	if diff := cmp.Diff(want, h.Budget()); diff != "" {
		t.Errorf("before the first call (-want +got):\n%s", diff)
	}
	for _, inst := range []int64{5, 5, 6} {
		if _, err := h.Repo(t.Context(), inst, "acme", "web"); err != nil {
			t.Fatal(err)
		}
	}
	pass(t, h.gate(6), start, creating)
	h.gate(7).learn(&Trouble{Kind: Limited, Until: start.Add(time.Minute)}, start)
	h.gate(8).learn(&Trouble{Kind: Suspended, Until: start.Add(time.Minute)}, start)
	h.gate(9).learn(&Trouble{Kind: Suspended, Until: start}, start)
	want = Budget{Points: mostPoints - 6, Creations: mostCreations - 1, Hourly: mostHourly - 1, Core: 3997, GraphQL: -1, Limited: 1, Suspended: 1}
	if diff := cmp.Diff(want, h.Budget()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.Share(3) // what this process may use alone
	if b := h.Budget(); b.Points != mostPoints/3-6 || b.Creations != mostCreations/3-1 || b.Hourly != mostHourly/3-1 {
		t.Errorf("among three: %+v", b)
	}
	h.Share(1)
	h.config.Now = func() time.Time { return start.Add(time.Minute) } // GitHub's hour is over, and so are the bans
	if b := h.Budget(); b.Core != -1 || b.Limited+b.Suspended != 0 {
		t.Errorf("later: %+v", b)
	}
}
