//go:build !unix

package postgrestest

import "os/exec"

func own(string) error { return nil }

func asNobody(*exec.Cmd) {}
