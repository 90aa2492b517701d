// Package config holds the settings of the server and the built-in policy, both as files that read
// like a manual.
package config

import _ "embed" // for the file below

// DisclosureYML is the built-in policy as a file to read and to start from. A test in pkg/policy holds
// it equal to policy.Default. (go:embed can fill nothing but a package variable.)
//
//go:embed disclosure.yml
var DisclosureYML []byte
