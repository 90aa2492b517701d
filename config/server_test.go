package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "heed.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadOrder(t *testing.T) {
	t.Parallel()
	path := write(t, "listen: 127.0.0.1:1\nsweep-every: 1m\nlog: json\n")
	s, err := Load(map[string]string{"config": path, "listen": "127.0.0.1:3"}, env(map[string]string{"HEED_LISTEN": "127.0.0.1:2", "HEED_SWEEP_EVERY": "3s"}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:3" || s.SweepEvery != 3*time.Second || s.LogFormat != "json" || s.Database != "sqlite://heed.db" {
		t.Errorf("got %+v", s)
	}
}

func TestLoadMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		env        map[string]string
		want       string
	}{
		{"unknown key", "listen: 127.0.0.1:1\nlissten: x\n", nil, ":2: unknown key \"lissten\""},
		{"bad value", "log: loud\n", nil, ":1: log: want text or json"},
		{"nested", "log:\n  a: b\n", nil, ":1: log wants a single value"},
		{"no value", "listen: 127.0.0.1:1\nwebhook-secret:   # filled in later\n", nil, ":2: webhook-secret wants a single value"},
		{"empty", "sweep-every: \"\"\n", nil, ":1: sweep-every: wants a value"},
		{"null", "webhook-secret: ~\n", nil, ":1: webhook-secret wants a single value"},
		{"tag", "webhook-secret: !!str 0123\n", nil, ":1: webhook-secret wants a single value"},
		{"not a map", "- a\n", nil, ":1: want lines"},
		{"broken", "log: [\n", nil, "heed.yml"},
		{"bad environment", "", map[string]string{"HEED_SWEEP_EVERY": "often"}, "HEED_SWEEP_EVERY: want a duration"},
		{"short key", "", map[string]string{"HEED_DATA_KEY": "c2VjcmV0LXZhbHVl"}, "HEED_DATA_KEY: want base64 of 32 bytes"},
		{"no webhook secret", "", map[string]string{"GITHUB_APP_INTEGRATION_ID": "1", "GITHUB_APP_PRIVATE_KEY": "x"}, "GITHUB_APP_WEBHOOK_SECRET"},
		{"no file", "", map[string]string{"GITHUB_APP_PRIVATE_KEY_FILE": "/does/not/exist"}, "GITHUB_APP_PRIVATE_KEY_FILE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			flags := map[string]string{}
			if tt.file != "" {
				flags["config"] = write(t, tt.file)
			}
			_, err := Load(flags, env(tt.env))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "c2VjcmV0") {
				t.Error("the error quotes a secret")
			}
		})
	}
}

// A secret is taken as it stands there, whatever YAML would make of it.
func TestValuesAsWritten(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"0123", "0x1234", "1_000", "1.10", "true", ".inf", "12345678901234567890123", "'0123'", "\"x y\""} {
		s, err := Load(map[string]string{"config": write(t, "app-id: 7\nprivate-key: |\n  -----BEGIN\n  x\nwebhook-secret: "+written+"\n")}, env(nil))
		if err != nil || s.WebhookSecret != strings.Trim(written, "'\"") {
			t.Errorf("%s: got %q, %v", written, s.WebhookSecret, err)
		}
		if s.PrivateKey != "-----BEGIN\nx\n" {
			t.Errorf("the key is %q", s.PrivateKey)
		}
	}
}

func TestAddressesAreGuessed(t *testing.T) {
	t.Parallel()
	for v3, want := range map[string][2]string{
		"":                                    {"https://api.github.com/graphql", "https://github.com"},
		"https://api.acme.ghe.com/":           {"https://api.acme.ghe.com/graphql", "https://acme.ghe.com"},
		"https://github.acme.example/api/v3/": {"https://github.acme.example/api/graphql", "https://github.acme.example"},
		"http://127.0.0.1:9/":                 {"http://127.0.0.1:9/graphql", "http://127.0.0.1:9"},
	} {
		s, err := Load(nil, env(map[string]string{"GITHUB_V3_API_URL": v3}))
		if err != nil || s.V4URL != want[0] || s.WebURL != want[1] {
			t.Errorf("%q: got %s, %s, %v; want %s", v3, s.V4URL, s.WebURL, err, want)
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	path := write(t, "hush\n")
	s, err := Load(nil, env(map[string]string{"GITHUB_APP_WEBHOOK_SECRET_FILE": path, "GITHUB_APP_INTEGRATION_ID": "7", "GITHUB_APP_PRIVATE_KEY": "pem"}))
	if err != nil || s.WebhookSecret != "hush" || !s.HasApp() {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestExampleLoads(t *testing.T) {
	t.Parallel()
	if _, err := Load(map[string]string{"config": "heed.example.yml"}, env(nil)); err != nil {
		t.Error(err)
	}
}
