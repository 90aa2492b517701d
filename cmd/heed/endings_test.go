package main

import "regexp"

var ghsaName = regexp.MustCompile(`GHSA(-[a-z0-9]{4}){3}`)

// tales are all that can happen to a report while the world goes to pieces, and some things that are
// no reports at all.
func tales() []tale {
	return append(append(privateTales(), publicTales()...), otherTales()...)
}

// privateTales begin with a report in private: one receipt, the team let in once, one case.
func privateTales() []tale {
	reports := begins(private)
	return []tale{
		{"private", true, []chapter{reports}, `
advisory: triage, for [rea] [security], said 1, kept 0
tracker: private report, open, 1 assigned, said 0
`},
		{"private, answered", true, []chapter{reports, {isTracked, says("Thank you, we are looking.")}}, `
advisory: triage, for [rea] [security], said 1, kept 0
tracker: private report, open, 1 assigned, said 0, answered
`},
		{"private, acknowledged", true, []chapter{reports, {isTracked, orders("/ack We have it.")}}, `
advisory: triage, for [rea] [security], said 2, kept 0
tracker: private report, open, 1 assigned, said 0, answered
command: [eyes rocket]
`},
		{"private, accepted", true, []chapter{reports, {isTracked, orders("/accept")}}, `
advisory: draft, for [rea] [security], said 2, kept 0
tracker: private report, open, 1 assigned, said 0, answered
tracker: release for, open, 1 assigned, said 0
command: [eyes rocket]
`},
		{"private, declined", true, []chapter{reports, {isTracked, orders("/decline documented It says so.")}}, `
advisory: closed, for [rea] [security], said 2, kept 0
tracker: private report, closed, 1 assigned, said 0, answered
command: [eyes rocket]
`},
		{"private, misunderstood", true, []chapter{reports, {isTracked, orders("/decline boring")}}, `
advisory: triage, for [rea] [security], said 1, kept 0
tracker: private report, open, 1 assigned, said 1
command: [eyes confused]
`},
		// On an advisory there are no reactions, but one status comment; and a command is an answer.
		{"private, commanded there", true, []chapter{reports, {isTracked, says("/security severity high")}}, `
advisory: triage, for [rea] [security], said 2, kept 0
tracker: private report, open, 1 assigned, said 0, answered
`},
		{"private, accepted on GitHub", true, []chapter{reports, {isTracked, func(r telling) error { return r.AcceptAdvisory("lea", r.repo(), r.ghsa) }}}, `
advisory: draft, for [rea] [security], said 2, kept 0
tracker: private report, open, 1 assigned, said 0, answered
tracker: release for, open, 1 assigned, said 0
`},
		{"private, closed on GitHub", true, []chapter{reports, {isTracked, func(r telling) error { return r.CloseAdvisory("lea", r.repo(), r.ghsa) }}}, `
advisory: closed, for [rea] [security], said 2, kept 0
tracker: private report, closed, 1 assigned, said 0, answered
`},
	}
}

// publicTales begin with what should not have been written in public: hidden first of all, one draft,
// one reply, one case. Further texts are kept with the first.
func publicTales() []tale {
	leak, suspect := begins(opens("eve", leakTitle, leakText)), begins(opens("eve", suspectTitle, suspectText))
	const (
		hidden = "\nissue: closed, hidden, labels [moved], replies 1\n"
		held   = "tracker: public report, open, 1 assigned, said 0\n"
	)
	return []tale{
		{"leak", true, []chapter{leak}, hidden + "advisory: draft, for [eve] [security], said 0, kept 0\n" + held},
		{"leak, again", true, []chapter{leak, {isMovedAway, edits("eve", leakTitle, leakAgain)}}, hidden + "advisory: draft, for [eve] [security], said 0, kept 1\n" + held},
		{"leak, more of it", true, []chapter{leak, {isMovedAway, comments("eve", leakMore)}}, hidden + "advisory: draft, for [eve] [security], said 0, kept 1\n" + held},
		// Either text may be the first that is read.
		{"leak, edited at once", true, []chapter{leak, begins(edits("eve", leakTitle, leakAgain))}, hidden + "advisory: draft, for [eve] [security], said 0, kept 0 or 1\n" + held},
		{"leak, taken up", true, []chapter{leak, {isMovedAway, orders("/accept")}}, hidden + `advisory: draft, for [eve] [security], said 1, kept 0
tracker: public report, open, 1 assigned, said 0, answered
tracker: release for, open, 1 assigned, said 0
command: [eyes rocket]
`},
		{"leak, undone", false, []chapter{leak, {isMovedAway, bids("/security not-security")}}, `
issue: open, open to all, labels [], replies 1
advisory: closed, for [eve] [security], said 0, kept 0
tracker: public report, closed, 1 assigned, said 0, answered
command: [eyes rocket]
`},
		{"leak in a comment", false, []chapter{begins(opens("bob", "Search is slow", "It takes ten seconds.")), begins(comments("eve", leakComment))}, `
issue: open, hidden, labels [], replies 1
advisory: draft, for [eve] [security], said 0, kept 0
` + held},
		{"leak under a question", true, []chapter{begins(opens("eve", "Search is slow", "It takes ten seconds.")), begins(edits("eve", leakTitle, leakText))}, hidden + "advisory: draft, for [eve] [security], said 0, kept 0\n" + held},
		{"suspect", false, []chapter{suspect}, `
issue: open, open to all, labels [], replies 1
tracker: is this a report?, open, 1 assigned, said 0
`},
		{"suspect, confirmed", false, []chapter{suspect, {isTracked, orders("/confirm")}}, `
issue: closed, hidden, labels [moved], replies 2
advisory: draft, for [eve] [security], said 0, kept 0
tracker: is this a report?, open, 1 assigned, said 1
command: [eyes rocket]
`},
		{"suspect, dismissed", false, []chapter{suspect, {isTracked, orders("/not-security")}}, `
issue: open, open to all, labels [], replies 1
tracker: is this a report?, closed, 1 assigned, said 0, answered
command: [eyes rocket]
`},
	}
}

// otherTales are no reports. What is ordinary is not touched at all.
func otherTales() []tale {
	const untouched = "\nissue: open, open to all, labels [], replies 0\n"
	return []tale{
		{"contact", false, []chapter{begins(opens("eve", "How do I report a security vulnerability?", "I found a security issue and would like to report it privately. Is there a security contact? %s"))}, `
issue: open, open to all, labels [asked], replies 1
tracker: asks for a private channel, open, 0 assigned, said 0
`},
		{"dependency", false, []chapter{begins(opens("rea", "Bump lodash to 4.17.21", "npm audit reports CVE-2021-23337 in lodash 4.17.20 (%s). Please update the dependency."))}, `
issue: open, open to all, labels [deps], replies 0
`},
		{"phishing", false, []chapter{begins(opens("eve", "Security Alert: Unusual access attempt on your GitHub account", "We detected a login attempt on your GitHub account from a new location. If you do not recognize this activity, your account may be compromised. Update your password now: https://github-security.example.net/verify?%s\n\nGitHub Security Team"))}, `
issue: open, open to all, labels [junk], replies 0
tracker: phishing?, open, 0 assigned, said 0
`},
		{"ordinary", false, []chapter{begins(opens("eve", "Build fails %s", "It fails on my machine with a long log."))}, untouched},
		{"ordinary, talked about", false, []chapter{
			begins(opens("eve", "Build fails %s", "It fails.")), begins(comments("bob", "Any news? It still fails here.")), begins(edits("eve", "Build fails %s", "It fails, really.")),
		}, untouched},
	}
}
