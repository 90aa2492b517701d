package policy

import "slices"

// Idle names the keys that say something which nothing comes of so far: a policy may hold them, and whoever
// writes one should know.
func (p Policy) Idle() (keys []string) {
	usual := Default()
	for _, k := range []struct {
		key string
		set bool
	}{
		{"intake.scopes", len(p.Intake.Scopes) > 0},
		{"public_reports.watch: discussions", slices.Contains(p.Public.Watch, Discussions)},
		{"embargo", p.Embargo != usual.Embargo},
		{"release.checklist", p.Release.Checklist != usual.Release.Checklist},
		{"release.visibility", p.Release.Visibility != usual.Release.Visibility},
		{"bundles", len(p.Bundles) > 0},
		{"notify", len(p.Notify) > 0},
		{"approvals", p.Approvals != usual.Approvals},
	} {
		if k.set {
			keys = append(keys, k.key)
		}
	}
	return keys
}
