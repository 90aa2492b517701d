package app

import (
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics answers GET /metrics. One gauge that cannot be read must not hide all the others.
func metrics(cs ...prometheus.Collector) http.Handler {
	version, commit := Version()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "heed", Name: "build_info", Help: "What this binary was built from.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	r := prometheus.NewRegistry()
	r.MustRegister(append(cs, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))...)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Version is the version and the commit that this binary was built from.
func Version() (version, commit string) {
	version, commit = "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	version = info.Main.Version
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if r := set["vcs.revision"]; r != "" {
		commit = r
	}
	if set["vcs.modified"] == "true" {
		commit += ", with changes"
	}
	return version, commit
}
