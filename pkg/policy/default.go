package policy

import (
	"time"

	"github.com/heed-app/heed/pkg/promise"
)

const day = 24 * time.Hour

// Default is the built-in policy: that of pyca/cryptography, without the names of its people. It is
// in force where a project wrote nothing, and a key left out of a file takes its value from here.
// config/disclosure.yml says the same with explanations.
//
// What pyca does not promise is absent: no time to decide, no time to fix ("as quickly as
// possible"), no regular updates, no fixed embargo. Source: cryptography.io, "Security".
func Default() Policy {
	return Policy{
		Public: PublicReports{
			Watch:     []Watch{Issues, Comments},
			Confident: []Measure{Blank, Advisory, Reply, Close},
			Suspect:   []Measure{Reply},
			Threshold: Threshold{Confident: 0.95, Suspect: 0.60},
			Exempt:    []string{"dependabot", "renovate"},
		},
		Promises: Promises{
			Rules: []promise.Rule{{
				Kind:        promise.Acknowledge,
				Within:      promise.Span{Duration: 48 * time.Hour},
				RemindAt:    []int{50, 80, 100},
				Repeat:      day,
				RepeatLimit: 7,
			}},
			PauseLimit: 14 * day,
		},
		Release: Release{
			Branches:   []string{"main"},
			Releases:   1,
			Checklist:  "default",
			Visibility: "private",
			Verify:     []string{"github"},
		},
		Approvals: 2,
		Mode:      Act,
	}
}

// WordingNames are the texts that a project can replace by its own.
func WordingNames() []string {
	return []string{"receipt", "reply", "contact", "acknowledged", "accepted", "declined", "need-info", "notice"}
}
