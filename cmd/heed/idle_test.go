//go:build linux

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/hubsim"
)

// clockTicks is how many of the kernel's ticks a second of processor time has. Source: proc(5), and
// sysconf(_SC_CLK_TCK), which is 100 on every Linux that Go runs on.
const clockTicks = 100

// BenchmarkIdle starts the real binary over a simulated GitHub and lets it do nothing for ten
// seconds: milliseconds to the first answer, resident memory, and percent of a core.
func BenchmarkIdle(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "heed")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", binary, ".") //nolint:gosec // a path of this benchmark
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(b, err)
	sim := hubsim.New(time.Now, hubsim.App{ID: 7, Slug: "heed", WebhookSecret: "hush", Permissions: demoPermissions(), Events: demoEvents(), Key: key})
	sim.AddOrg("acme")
	sim.AddRepo("acme", "web", false)
	sim.Install("acme")
	github := httptest.NewServer(sim.Handler())
	defer github.Close()
	for b.Loop() {
		begin := time.Now()
		s := host{binary: binary, dir: b.TempDir(), github: github.URL, sim: sim}.serve(b)
		started := time.Since(begin)
		before := ticks(b, s.cmd.Process.Pid)
		const idle = 10 * time.Second
		<-time.After(idle)
		used := ticks(b, s.cmd.Process.Pid) - before
		b.ReportMetric(float64(started.Milliseconds()), "start-ms")
		b.ReportMetric(residentMiB(b, s.cmd.Process.Pid), "MiB")
		b.ReportMetric(100*float64(used)/clockTicks/idle.Seconds(), "%core")
		s.stop(b)
	}
	b.ReportMetric(0, "ns/op")
}

// ticks is the processor time of a process so far, in the kernel's ticks.
func ticks(b *testing.B, pid int) int {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	must(b, err)
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may hold anything
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	must(b, err)
	system, err := strconv.Atoi(fields[12])
	must(b, err)
	return user + system
}

func residentMiB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	must(b, err)
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	must(b, err)
	return float64(kib) / 1024
}
