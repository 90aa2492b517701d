package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heed-app/heed/pkg/policy"
)

type mistakeCase struct{ name, file, want string }

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range mistakeCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, mistakes := policy.Parse("p.yml", []byte(c.file))
			if diff := cmp.Diff(c.want, lines(mistakes)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func mistakeCases() []mistakeCase {
	return []mistakeCase{
		{"empty file", "", "1:1: version is missing (start the file with: version: 1)\n"},
		{"only comments", "# nothing\n", "1:1: version is missing (start the file with: version: 1)\n"},
		{"version missing", "# ours\nteam: security\n", "2:1: version is missing (start the file with: version: 1)\n"},
		{"version misspelt", "versoin: 1\n", "1:1: unknown key \"versoin\" (did you mean \"version\"?)\n"},
		{"version 2", "version: 2\n", "1:10: version 2 is not supported (write version: 1)\n"},
		{"version text", "version: \"1\"\n", "1:10: version wants a whole number, not text (write version: 1)\n"},
		{"not a mapping", "- version: 1\n", "1:1: the file wants keys of its own, not a list (write it like version: …)\n"},
		{"two documents", "version: 1\n---\nteam: a\n", "2:1: a second document begins here (keep one document in the file)\n"},
		{"syntax", "version: 1\nteam: [a\n", "2:7: not YAML: sequence end token ']' not found\n"},
		{"tab", "version: 1\nintake:\n\tfallback_contact: x\n", "3:1: not YAML: a tab cannot indent YAML (indent with spaces)\n"},
		{
			"at sign",
			`version: 1
promises: {escalate_to: [@acme/leads]}
`,
			`2:26: not YAML: '@' is a reserved character (put the text in quotes)
`,
		},
		{"not UTF-8", "version: 1\nteam: ä\xff\n", "2:8: this is not UTF-8 text (save the file as UTF-8)\n"},
		{
			"unknown keys",
			`version: 1
tracke: a/b
public_reports:
  treshold: {confidnt: 0.9}
  threshold: {confidnt: 0.9}
zebra: 1
remindAt: x
`,
			`2:1: unknown key "tracke" (did you mean "tracker"?)
4:3: unknown key "treshold" (did you mean "threshold"?)
5:15: unknown key "confidnt" (did you mean "confident"?)
6:1: unknown key "zebra" (known here: version, team, tracker, coordinators, package, intake, public_reports, promises, calendars, embargo, release, bundles, notify, wording, approvals, mode, retain)
7:1: unknown key "remindAt" (known here: version, team, tracker, coordinators, package, intake, public_reports, promises, calendars, embargo, release, bundles, notify, wording, approvals, mode, retain)
`,
		},
		{
			"duplicate keys",
			`version: 1
team: a
mode: act
team: b
`,
			`4:1: "team" is given twice (keep one; the other is in line 2)
`,
		},
		{
			"empty values",
			`version: 1
intake:
team:
  - a
  -
`,
			`2:1: intake is empty (give it a value or leave it out)
5:5: team has an empty item (leave it out)
`,
		},
		{
			"wrong types",
			`version: 1
team: 5
tracker: [a/b]
coordinators: mia
intake: yes please
approvals: two
mode: true
bundles: {name: x}
public_reports: {threshold: high}
retain: [1d]
`,
			`2:7: team wants a list, not a number (write it like [one, two])
3:10: tracker wants text, not a list
4:15: coordinators wants a list, not text (write [mia])
5:9: intake wants keys of its own, not text (write it like fallback_contact: …)
6:12: approvals wants a whole number, not text (write it like 2)
7:7: mode wants text, not true or false
8:10: bundles wants a list, not keys (write it like [one, two])
9:29: threshold wants keys of its own, not text (write it like confident: …)
10:9: retain wants text, not a list
`,
		},
		{
			"anchors",
			`version: 1
team: &t security
release: {announce: [*t]}
public_reports:
  <<: *t
mode: !!str act
`,
			`2:7: anchors, aliases and merge keys are not used here (write the value out)
3:22: anchors, aliases and merge keys are not used here (write the value out)
5:3: anchors, aliases and merge keys are not used here (write the value out)
5:7: anchors, aliases and merge keys are not used here (write the value out)
6:7: tags and directives are not used here (leave it out)
`,
		},
		{
			"names",
			`version: 1
team: "@acme/Security Team"
tracker: https://github.com/acme/cases
coordinators: ["@mia", sam sam]
promises: {escalate_to: [mia, "@acme/leads"]}
wording: {reply: /reply.md, receipt: ../../x, repli: a.md}
`,
			`2:7: "@acme/Security Team" is not a team's slug (did you mean "security-team"?)
3:10: "https://github.com/acme/cases" is not a repository (did you mean "acme/cases"?)
4:16: "@mia" is not a login (did you mean "mia"?)
4:24: "sam sam" is not a login (write it like mia)
5:26: "mia" is not a person or team to mention (did you mean "@mia"?)
6:18: "/reply.md" is not a path in the repository (did you mean "reply.md"?)
6:38: "../../x" is not a path in the repository (write it like .github/disclosure/reply.md)
6:47: unknown key "repli" (did you mean "reply"?)
`,
		},
		{
			"choices",
			`version: 1
package: {ecosystem: pypi, name: x}
public_reports: {watch: [isues], confident: [blank, delete, blank], suspect: [replay]}
release: {verify: [nvd], visibility: public}
notify: [{kind: slak, url_from: X}]
embargo: {prenotify: 14d}
mode: dryrun
`,
			`2:22: unknown ecosystem "pypi" (known here: rubygems, npm, pip, maven, nuget, composer, go, rust, erlang, actions, pub, swift, other)
3:26: unknown place to watch "isues" (did you mean "issues"?)
3:53: unknown measure "delete" (known here: blank, advisory, reply, close, label, lock)
3:61: "blank" stands in confident twice (keep one)
3:79: unknown measure "replay" (did you mean "reply"?)
4:20: unknown scanner "nvd" (known here: github, osv, pypi, cve)
4:38: unknown visibility "public" (known here: private, placeholder)
5:17: unknown kind of channel "slak" (did you mean "slack"?)
6:22: unknown notice "14d" (known here: none, 7d)
7:7: unknown mode "dryrun" (did you mean "dry-run"?)
`,
		},
		{
			"durations",
			`version: 1
promises:
  acknowledge: {within: 48}
  decide: {within: 2 days}
  update: {every: 0d}
  fix: {within: -3h}
  repeat: soon
  pause_limit: 3 business days
retain: 999999999w
embargo: {within: 0}
`,
			`3:25: within lacks a unit (write 48h or 48d)
4:20: "2 days" is not a time (did you mean "2d"?)
5:19: a time must be longer than zero (write it like 36h, 90d, 1w2d or "3 business days")
6:17: a time must be longer than zero (write it like 36h, 90d, 1w2d or "3 business days")
7:11: "soon" is not a time (write it like 36h, 90d or 1w2d)
8:16: business days count only for promises (write it like 36h, 90d or 1w2d)
9:9: "999999999w" is too long (write it like 36h, 90d or 1w2d)
10:19: a time must be longer than zero (write it like 48h or 14d)
`,
		},
		{
			"promises",
			`version: 1
promises:
  decide: {counts: human}
  update: {within: 14d}
  fix: {within: 3 business days}
  acknowledge: {within: 2 business days, calendar: ofice, counts: bot}
  by_severity: {critical: {decide: 1 business day, fx: 7d}, urgent: {fix: 1d}}
  repeat_limit: -1
calendars:
  office: {days: mon-fri}
`,
			`3:11: within is missing (add within:)
4:11: every is missing (add every:)
4:12: unknown key "within" (known here: every, counts, calendar)
5:17: business days need a calendar (name one in fix: {calendar: …}, and describe it under calendars)
6:52: unknown calendar "ofice" (did you mean "office"?)
6:67: unknown answer "bot" (known here: human, any)
7:36: business days need a calendar (name one in decide: {calendar: …}, and describe it under calendars)
7:52: unknown key "fx" (did you mean "fix"?)
7:61: unknown key "urgent" (known here: critical, high, medium, low)
8:17: repeat_limit must be from 0 to 1000
`,
		},
		{
			"remind_at",
			`version: 1
promises:
  remind_at: [80%, 50%, 50%, 0%, 80, eighty]
`,
			`3:20: remind_at must ascend, 50% follows 80% (put the smaller one first)
3:25: "50" stands in remind_at twice (keep one)
3:30: "0%" is not a percentage above zero (write it like 80%)
3:34: remind_at wants percentages (write 80%)
3:38: "eighty" is not a percentage above zero (write it like 80%)
`,
		},
		{
			"calendars",
			`version: 1
calendars:
  a: {hours: "09:00-17:00"}
  b: {days: [mon, tuesday], hours: 17:00-09:00, timezone: Berlin, holidays: germany}
  always: {days: fri}
  d: {days: fri, hours: 9-5, timezone: Local, holidays: no}
  "c d": {days: fri}
`,
			`3:6: days is missing (add days:)
4:19: "tuesday" is not a day or a range of days (write it like mon-fri or [mon, tue])
4:36: the hours end before they begin (write them like "09:00-17:00")
4:59: unknown timezone "Berlin" (write it like Europe/Berlin)
4:77: unknown country "germany" (known here: ar, at, be, bg, br, ca, ch, cz, de, dk, es, fr, gb, gr, hr, ie, it, jp, lt, lv, nl, no, nz, pl, ro, ru, se, si, sk, ua, us, za)
5:3: "always" is not a name for a calendar of your own (write it like office)
6:25: "9-5" are not hours (write them like "09:00-17:00")
6:40: unknown timezone "Local" (write it like Europe/Berlin)
7:3: "c d" is not a name for a calendar of your own (write it like office)
`,
		},
		{
			"thresholds",
			`version: 1
public_reports: {threshold: {confident: 0.5}}
`,
			`2:41: suspect (0.6) is above confident (0.5) (suspect must not be above confident)
`,
		},
		{
			"thresholds out of bounds",
			`version: 1
public_reports:
  threshold:
    confident: 1.5
    suspect: 0
`,
			`4:16: confident must be above 0 and at most 1 (write it like 0.95)
5:14: suspect must be above 0 and at most 1 (write it like 0.95)
`,
		},
		{
			"thresholds in the wrong order",
			`version: 1
public_reports:
  threshold:
    suspect: 0.9
    confident: 0.8
`,
			`4:14: suspect (0.9) is above confident (0.8) (suspect must not be above confident)
`,
		},
		{
			"bundles",
			`version: 1
bundles:
  - {name: openssl, upstream: openssl, tags: "*-*"}
  - upstream: a/b
    open_on: [security, feature]
  - zlib
`,
			`3:31: "openssl" is not a repository (write it like owner/name)
3:46: "*-*" is not a tag pattern with exactly one "*" (write it like v*)
4:5: name is missing (add name:)
4:5: tags is missing (add tags:)
5:25: unknown kind of release "feature" (known here: security, bugfix)
6:5: bundles entry wants keys of its own, not text (write it like name: …)
`,
		},
		{
			"secrets are not repeated",
			`version: 1
notify:
  - {kind: slack, url_from: "https://hooks.slack.example/T0/secret"}
  - {kind: slack, url_from: GITHUB_APP_PRIVATE_KEY}
`,
			`3:29: this is not the name of an environment variable for a notifier (write it like SLACK_WEBHOOK)
4:29: this is not the name of an environment variable for a notifier (write it like SLACK_WEBHOOK)
`,
		},
		{
			"numbers",
			`version: 1
approvals: 0
release: {supported: {releases: 18446744073709551615, branches: [1.10, main]}, tags: v1}
`,
			`2:12: approvals must be from 1 to 100
3:33: releases must be from 0 to 100
3:66: branches wants text, not a number (put it in quotes: "1.10")
3:86: "v1" is not a tag pattern with exactly one "*" (write it like v*)
`,
		},
		{
			"CRLF",
			"version: 1\r\nintake:\r\n  fallback: x\r\nmode: akt\r\n",
			`3:3: unknown key "fallback" (known here: fallback_contact, scopes)
4:7: unknown mode "akt" (did you mean "act"?)
`,
		},
		{"byte order mark", "\ufeffversion: 1\nmoed: act\n", "2:1: unknown key \"moed\" (did you mean \"mode\"?)\n"},
		{"question mark key", "version: 1\n? team\n: security\n", "2:1: \"?\" keys are not used here (write it as key: value)\n"},
		{"directive", "%YAML 1.2\n---\nversion: 1\n", "1:1: tags and directives are not used here (leave it out)\n"},
	}
}
