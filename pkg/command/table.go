// Package command reads slash commands. One table gives the parser and the help.
package command

// Place is where a command was written.
type Place string

// The places where commands are read.
const (
	Tracker  Place = "tracker"  // the case's issue in the private tracker
	Advisory Place = "advisory" // comments of the advisory
	Public   Place = "public"   // the public issue
)

// A Word is one command of the table.
type Word struct {
	Name      string
	Usage     string // arguments, as shown in the help
	Does      string
	Values    string // what an argument may be, as a sentence
	Public    bool   // may be used on a public issue
	Later     bool   // known, refused with a sentence until it is built
	Args      int    // required arguments
	NoText    bool   // takes nothing beyond its arguments
	FreeText  bool   // takes free text after its arguments
	Effective bool   // changes something: not "status" or "help"
}

// Reasons lists what a report may be declined for. Its source is section 6 of the contract.
func Reasons() string {
	return "`cannot-reproduce`, `documented`, `not-a-vulnerability`, `out-of-scope`, `unsupported-version`"
}

// Words is the table of all commands, in the order of the help. Its source is section 6 of the
// contract.
func Words() []Word {
	return []Word{
		{Name: "ack", Usage: "[text]", Does: "acknowledges the report; the text goes to the reporter", FreeText: true, Effective: true},
		{Name: "accept", Does: "accepts it as a vulnerability and opens the release checklist", NoText: true, Effective: true},
		{Name: "decline", Usage: "REASON [text]", Does: "declines it; the text goes to the reporter", Values: "The reasons are " + Reasons() + ".", Args: 1, FreeText: true, Effective: true},
		{Name: "duplicate", Usage: "GHSA", Does: "closes it as already reported", Args: 1, NoText: true, Later: true},
		{Name: "need-info", Usage: "[text]", Does: "asks the reporter and pauses the promises", FreeText: true, Effective: true},
		{Name: "resume", Does: "lets the promises run on (the reporter's next comment does it too)", NoText: true, Effective: true},
		{Name: "assign", Usage: "@login", Does: "makes somebody the coordinator", Args: 1, NoText: true, Effective: true},
		{Name: "unassign", Does: "leaves the case without coordinator", NoText: true, Later: true},
		{Name: "severity", Usage: "LEVEL or CVSS vector", Does: "sets low, medium, high, critical or a CVSS vector", Args: 1, NoText: true, Effective: true},
		{Name: "cwe", Usage: "CWE-79", Does: "adds a weakness", Args: 1, NoText: true, Later: true},
		{Name: "affects", Usage: "RANGE", Does: "sets the affected versions", Args: 1, FreeText: true, Later: true},
		{Name: "patched", Usage: "VERSION", Does: "sets the patched version", Args: 1, NoText: true, Later: true},
		{Name: "credit", Usage: "@login [type]", Does: "credits somebody", Args: 1, FreeText: true, Later: true},
		{Name: "cve", Usage: "request or CVE-…", Does: "requests or sets the CVE", Args: 1, NoText: true, Later: true},
		{Name: "release", Usage: "VERSION", Does: "plans the version that carries the fix", Args: 1, NoText: true, Later: true},
		{Name: "date", Usage: "DATE", Does: "plans the day of the release", Args: 1, NoText: true, Later: true},
		{Name: "embargo", Usage: "DATE", Does: "sets the end of the embargo", Args: 1, NoText: true, Later: true},
		{Name: "extend", Usage: "PROMISE DURATION", Does: "extends a promise", Args: 2, NoText: true, Later: true},
		{Name: "publish", Does: "publishes the advisory (needs a second maintainer)", NoText: true, Later: true},
		{Name: "make-public", Does: "opens a public issue (needs a second maintainer)", NoText: true, Later: true},
		{Name: "redirect", Does: "treats a public issue as a security report", Public: true, NoText: true, Effective: true},
		{Name: "confirm", Does: "confirms that a public issue is a security report", Public: true, NoText: true, Effective: true},
		{Name: "not-security", Does: "undoes everything: text, title and state are restored", Public: true, NoText: true, Effective: true},
		{Name: "snooze", Usage: "DURATION", Does: "silences the reminders for a while", Args: 1, NoText: true, Later: true},
		{Name: "status", Does: "shows where the case stands", NoText: true},
		{Name: "help", Does: "shows this list", Public: true, NoText: true},
	}
}
