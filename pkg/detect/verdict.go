// Package detect reads an issue and says whether it is a security report that should not stand in
// public. It is pure, linear in the length of the text, and never fails.
package detect

// Class is what a text is about.
type Class string

// The classes a text falls into.
const (
	Vulnerability  Class = "vulnerability"   // details of a hole: should be redirected
	ContactRequest Class = "contact-request" // asks for a private channel, no details
	DependencyCVE  Class = "dependency-cve"  // a public CVE in something the project uses
	Spam           Class = "spam"            // phishing dressed as an alert
	Ordinary       Class = "ordinary"
)

// A Verdict is what Read makes of a text.
type Verdict struct {
	Class       Class
	Probability float64  // calibrated, that the text should be redirected to the private channel
	Why         []string // the phrases that led to it, strongest first; they quote the text: embargoed
}

// Reading is what a verdict comes to under a policy's thresholds.
type Reading string

// The readings, as `heed detect` prints them.
const (
	ReadConfident  Reading = "confident"
	ReadSuspect    Reading = "suspect"
	ReadContact    Reading = "contact"
	ReadDependency Reading = "dependency"
	ReadSpam       Reading = "spam"
	ReadOrdinary   Reading = "ordinary"
)

// Reading applies thresholds, both between 0 and 1.
func (v Verdict) Reading(confident, suspect float64) Reading {
	switch v.Class {
	case ContactRequest:
		return ReadContact
	case DependencyCVE:
		return ReadDependency
	case Spam:
		return ReadSpam
	case Vulnerability, Ordinary:
	}
	switch {
	case v.Probability >= confident:
		return ReadConfident
	case v.Probability >= suspect:
		return ReadSuspect
	default:
		return ReadOrdinary
	}
}
