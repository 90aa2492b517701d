package policy

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/heed-app/heed/pkg/promise"
)

// table is every key of the policy file: the one place that the parser, the hints in its mistakes
// and the JSON Schema are made from. It binds the keys to a draft.
func table(d *draft) value {
	p := d.policy
	return object(
		field{"version", "Version of this file's format: 1.", version(), true},
		field{"team", "Slug of the owner's team whose members may command; several as a list.", oneOrMany(d.texts(d.forms.slug), to(&p.Team)), false},
		field{"tracker", "PRIVATE repository (owner/name) for case issues.", text(d.forms.repo, to(&p.Tracker)), false},
		field{"coordinators", "Logins, taken in turn as assignee of new cases.", list(d.texts(d.forms.login), to(&p.Coordinators)), false},
		field{"package", "What scanners know the project as.", d.pack(), false},
		field{"intake", "How reports arrive.", d.intake(), false},
		field{"public_reports", "What is done about reports filed in public.", d.publicReports(), false},
		field{"promises", "What reporters are promised, and how people are reminded.", d.promises(), false},
		field{"calendars", "Working time, by a name that promises use.", dict(d.forms.calendar, d.calendarEntry), false},
		field{"embargo", "How long reports stay private, and who hears early.", d.embargo(), false},
		field{"release", "What an accepted report ends in.", d.release(), false},
		field{"bundles", "Libraries shipped inside the project's artefacts.", records(d.bundle), false},
		field{"notify", "Channels besides GitHub; they never carry report text.", records(d.channel), false},
		field{"wording", "Own texts: name to path in the repository.", d.wording(), false},
		field{"approvals", "Different maintainers needed for publish and make-public.", integer(1, 100, to(&p.Approvals)), false},
		field{"mode", "act, approve (every outward action waits for heed work approve) or dry-run.", choice("mode", to(&p.Mode), Act, Approve, DryRun), false},
		field{"retain", "How long closed cases are kept; left out: for good.", duration(to(&p.Retain)), false},
	)
}

// version is apart from other numbers because of what it means when it is wrong: this Heed is too
// old for the file, or the file is not a policy.
func version() value {
	return value{map[string]any{"const": 1}, func(r *reader, _ string, n ast.Node) {
		number, ok := n.(*ast.IntegerNode)
		switch {
		case !ok:
			r.say(n, "version wants a whole number, not "+kind(n), "write version: 1")
		case number.Token.Value != "1":
			r.say(n, "version "+clip(number.Token.Value)+" is not supported", "write version: 1")
		}
	}}
}

// texts makes items of lists.
func (d *draft) texts(f form) func(set[string]) value {
	return func(give set[string]) value { return text(f, give) }
}

// choices makes items of lists of words.
func choices[T ~string](noun string, options ...T) func(set[T]) value {
	return func(give set[T]) value { return choice(noun, give, options...) }
}

// pack checks the ecosystem against the names of GitHub's advisory API: with any other, no scanner
// would ever see the advisory.
func (d *draft) pack() value {
	p := &d.policy.Package
	return object(
		field{"ecosystem", "Ecosystem, as GitHub's advisories name it.", choice("ecosystem", to(&p.Ecosystem),
			"rubygems", "npm", "pip", "maven", "nuget", "composer", "go", "rust", "erlang", "actions", "pub", "swift", "other"), true},
		field{"name", "Name of the package there.", text(d.forms.line, to(&p.Name)), true},
	)
}

func (d *draft) intake() value {
	p := &d.policy.Intake
	return object(
		field{"fallback_contact", "Named in replies when private reporting is off.", text(d.forms.line, to(&p.FallbackContact)), false},
		field{"scopes", "Parts with rules of their own, such as infrastructure.", dict(d.forms.name, func(name string) (value, func()) {
			var s Scope
			fields := object(
				field{"hosts", "Host names of this part.", list(d.texts(d.forms.host), to(&s.Hosts)), false},
				field{"cve", "never: reports about this part get no CVE.", choice("rule", to(&s.CVE), "never"), false},
			)
			return fields, func() {
				if p.Scopes == nil {
					p.Scopes = map[string]Scope{}
				}
				p.Scopes[name] = s
			}
		}), false},
	)
}

// publicReports keeps thresholds aside: they are compared when both are known, one of them perhaps
// from the defaults.
func (d *draft) publicReports() value {
	p := &d.policy.Public
	measures := choices("measure", Blank, Advisory, Reply, Close, Label, Lock)
	label := func(dst *string) value { return text(d.forms.label, to(dst)) }
	return object(
		field{"watch", "Public places that are read.", list(choices("place to watch", Issues, Comments, PullRequests, Discussions), to(&p.Watch)), false},
		field{"confident", "Measures when it is surely a report.", list(measures, to(&p.Confident)), false},
		field{"suspect", "Measures when it might be one; the others wait for a maintainer's word.", list(choices("measure", Reply), to(&p.Suspect)), false},
		field{"labels", "Labels to set in public; empty: none.", object(
			field{"redirected", "On what was moved to the private channel.", label(&p.Labels.Redirected), false},
			field{"contact", "On requests for a private channel.", label(&p.Labels.Contact), false},
			field{"dependency", "On public CVEs of dependencies.", label(&p.Labels.Dependency), false},
			field{"spam", "On phishing dressed as an alert.", label(&p.Labels.Spam), false},
		), false},
		field{"threshold", "Probabilities from which the measures are taken.", object(
			field{"confident", "For confident; not below suspect.", probability(mark(&d.confident)), false},
			field{"suspect", "For suspect.", probability(mark(&d.suspect)), false},
		), false},
		field{"exempt", "Logins whose texts are left alone.", list(d.texts(d.forms.login), to(&p.Exempt)), false},
		field{"vocabulary", "Words that sound like security and are everyday words here.", list(d.texts(d.forms.line), to(&p.Vocabulary)), false},
	)
}

// promises has one key per kind, made from the draft's vows, and the keys that all of them share.
func (d *draft) promises() value {
	p := &d.policy.Promises
	fields := make([]field, 0, len(d.vows)+6)
	for _, v := range d.vows {
		fields = append(fields, d.vow(v))
	}
	return object(append(
		fields,
		field{"by_severity", "Other times for single severities.", d.bySeverity(), false},
		field{"remind_at", "When to remind, in percent of each promise, ascending.", d.percentages(), false},
		field{"repeat", "How often to remind after a breach.", duration(to(&d.rungs.Repeat)), false},
		field{"repeat_limit", "How often at most.", integer(0, 1000, to(&d.rungs.RepeatLimit)), false},
		field{"escalate_to", "Mentioned from 100 % on: \"@login\" or \"@org/team\".", list(d.texts(d.forms.mention), to(&p.EscalateTo)), false},
		field{"pause_limit", "Longest pause while waiting for the reporter.", duration(to(&p.PauseLimit)), false},
	)...)
}

// vow is one promise. An update is promised at intervals, the others within a time.
func (d *draft) vow(v *vow) field {
	docs := map[promise.Kind]string{
		promise.Acknowledge: "A first answer to the reporter.",
		promise.Decide:      "Accepted or declined.",
		promise.Update:      "How it is going, again and again.",
		promise.Fix:         "A release with the fix.",
	}
	key, doc := "within", "Time until it is kept."
	if v.kind == promise.Update {
		key, doc = "every", "Time between two updates."
	}
	return field{string(v.kind), docs[v.kind], object(
		field{key, doc, span(mark(&v.within)), v.kind != promise.Acknowledge},
		field{"counts", "Whose act keeps it: human, or any (also a machine's receipt).", choice("answer", mark(&v.counts), "human", "any"), false},
		field{"calendar", "Time that counts: always, or a name from calendars.", text(d.forms.name, mark(&v.calendar)), false},
	), false}
}

// bySeverity gathers times; they wait for the calendars, which may stand further down.
func (d *draft) bySeverity() value {
	levels := []string{"critical", "high", "medium", "low"}
	fields := make([]field, len(levels))
	for i, level := range levels {
		kinds := make([]field, len(d.vows))
		for j, v := range d.vows {
			kinds[j] = field{string(v.kind), "Time for this severity.", span(func(s promise.Span, at ast.Node) {
				d.severe = append(d.severe, severe{level, v, spot[promise.Span]{s, at}})
			}), false}
		}
		fields[i] = field{level, "Times for " + level + " reports.", object(kinds...), false}
	}
	return object(fields...)
}

func (d *draft) embargo() value {
	p := &d.policy.Embargo
	return object(
		field{"within", "Published after this time at the latest.", duration(to(&p.Within)), false},
		field{"prenotify", "How long before it trusted distributors hear: none or 7d.", choice("notice", func(s string, _ ast.Node) {
			p.Prenotify = map[string]time.Duration{"7d": 7 * day}[s]
		}, "none", "7d"), false},
	)
}

func (d *draft) release() value {
	p := &d.policy.Release
	return object(
		field{"supported", "What gets security fixes.", object(
			field{"branches", "Supported branches.", list(d.texts(d.forms.branch), to(&p.Branches)), false},
			field{"releases", "How many of the most recent releases.", integer(0, 100, to(&p.Releases)), false},
		), false},
		field{"checklist", "default, or the path of a Markdown task list in the repository.", text(d.forms.path, to(&p.Checklist)), false},
		field{"announce", "Where releases are announced.", list(d.texts(d.forms.line), to(&p.Announce)), false},
		field{"visibility", "Where the tracking issue lives: private (tracker) or placeholder (public, neutral).", choice("visibility", to(&p.Visibility), "private", "placeholder"), false},
		field{"verify", "Who must list the advisory after publication.", list(choices("scanner", "github", "osv", "pypi", "cve"), to(&p.Verify)), false},
		field{"tags", "Release tags with one * for the version; left out: the version with or without v.", text(d.forms.tags, to(&p.Tags)), false},
	)
}

// bundle is one entry of bundles. Its tags must mark where the version stands, because the version
// names the tracking issue.
func (d *draft) bundle() (value, func()) {
	b := Bundle{OpenOn: []string{"security", "bugfix"}}
	fields := object(
		field{"name", "Name of the library.", text(d.forms.line, to(&b.Name)), true},
		field{"upstream", "Its repository (owner/name).", text(d.forms.repo, to(&b.Upstream)), true},
		field{"tags", "Its release tags, with one * for the version.", text(d.forms.tags, to(&b.Tags)), true},
		field{"open_on", "Releases that lead to one of ours.", list(choices("kind of release", "security", "bugfix"), to(&b.OpenOn)), false},
	)
	return fields, func() { d.policy.Bundles = append(d.policy.Bundles, b) }
}

// channel names a variable and not an address: addresses of chat webhooks are secrets, and this file
// is read by everybody who reads the repository.
func (d *draft) channel() (value, func()) {
	var n Notify
	fields := object(
		field{"kind", "Kind of channel.", choice("kind of channel", to(&n.Kind), "slack", "webhook", "email", "matrix", "discord", "teams"), true},
		field{"url_from", "Environment variable that holds the address: the file itself is no place for secrets.", text(d.forms.env, to(&n.URLFrom)), true},
	)
	return fields, func() { d.policy.Notify = append(d.policy.Notify, n) }
}

// wording has a key for each text that WordingNames lists; a path to a text that nobody says would be
// a promise that nobody keeps.
func (d *draft) wording() value {
	var fields []field
	for _, name := range WordingNames() {
		fields = append(fields, field{name, "Path of the text " + name + ".", text(d.forms.path, func(s string, _ ast.Node) {
			if d.policy.Wording == nil {
				d.policy.Wording = map[string]string{}
			}
			d.policy.Wording[name] = s
		}), false})
	}
	return object(fields...)
}
