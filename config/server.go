package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Server is how an operator runs Heed. Each setting can be given as a flag, in the environment or
// in a YAML file, and is taken from the first that has it, in this order. Secrets have a second
// form that names a file to read them from.
type Server struct {
	// The App's credentials, under the names that go-githubapp uses. Without them Heed serves a
	// page that tells how to make the App.
	AppID                 int64
	PrivateKey            string // PEM
	WebhookSecret         string
	PreviousWebhookSecret string // accepted too, while a secret is being rotated
	OAuthClientID         string
	OAuthClientSecret     string

	V3URL  string // GitHub's REST API, used as given
	V4URL  string // GitHub's GraphQL API
	WebURL string // GitHub for people

	Listen     string        // address to listen on
	PublicURL  string        // how browsers and GitHub reach it
	Database   string        // sqlite:///path/heed.db or postgres://…
	DataKeys   [][]byte      // 32 bytes each: the first encrypts report text, all decrypt; SQLite makes its own when unset
	KeyFile    string        // where they were read from, "" if they stand in the settings themselves
	SweepEvery time.Duration // how often GitHub is compared with what we know
	LogFormat  string        // text or json
	LogLevel   slog.Level

	SecondOpinion Opinion // whom to ask about texts that the detector is not sure of
}

// Opinion is a language model that the operator runs, behind OpenAI's protocol for chat completions.
type Opinion struct {
	URL     string // of the API; "": nobody is asked
	Model   string
	Key     string
	Timeout time.Duration // of one question
}

// A setting is one row of the table that flags, environment, file and help are made of.
type setting struct {
	env, flag string // flag is also the key in the file
	fallback  string
	help      string
	secret    bool
	set       func(*Server, string) error
}

func table() []setting {
	str := func(field func(*Server) *string) func(*Server, string) error {
		return func(s *Server, v string) error { *field(s) = v; return nil }
	}
	return []setting{
		{"GITHUB_APP_INTEGRATION_ID", "app-id", "", "id of the GitHub App", false, func(s *Server, v string) (err error) {
			s.AppID, err = strconv.ParseInt(v, 10, 64)
			return wrong(err, "a number")
		}},
		{"GITHUB_APP_PRIVATE_KEY", "private-key", "", "private key of the App (PEM)", true, str(func(s *Server) *string { return &s.PrivateKey })},
		{"GITHUB_APP_WEBHOOK_SECRET", "webhook-secret", "", "webhook secret of the App", true, str(func(s *Server) *string { return &s.WebhookSecret })},
		{"GITHUB_APP_WEBHOOK_SECRET_PREVIOUS", "webhook-secret-previous", "", "accepted too, while the secret is rotated", true, str(func(s *Server) *string { return &s.PreviousWebhookSecret })},
		{"GITHUB_OAUTH_CLIENT_ID", "oauth-client-id", "", "for a login on the dashboard, which this version does not have", false, str(func(s *Server) *string { return &s.OAuthClientID })},
		{"GITHUB_OAUTH_CLIENT_SECRET", "oauth-client-secret", "", "for a login on the dashboard, which this version does not have", true, str(func(s *Server) *string { return &s.OAuthClientSecret })},
		{"GITHUB_V3_API_URL", "github-api-url", "https://api.github.com/", "GitHub's REST API", false, address(func(s *Server) *string { return &s.V3URL })},
		{"GITHUB_V4_API_URL", "github-graphql-url", "", "GitHub's GraphQL API, guessed from the REST API's", false, address(func(s *Server) *string { return &s.V4URL })},
		{"GITHUB_WEB_URL", "github-web-url", "", "GitHub for people, guessed from the REST API's", false, address(func(s *Server) *string { return &s.WebURL })},
		{"HEED_LISTEN", "listen", "127.0.0.1:8080", "address to listen on", false, func(s *Server, v string) error {
			_, _, err := net.SplitHostPort(v)
			s.Listen = v
			return wrong(err, "host:port")
		}},
		{"HEED_PUBLIC_URL", "public-url", "", "how browsers and GitHub reach Heed", false, address(func(s *Server) *string { return &s.PublicURL })},
		{"HEED_DATABASE_URL", "database", "sqlite://heed.db", "where cases are kept", false, str(func(s *Server) *string { return &s.Database })},
		{"HEED_DATA_KEY", "data-key", "", "base64 of 32 bytes that encrypt report text; older keys behind it", true, func(s *Server, v string) (err error) {
			s.DataKeys, err = ParseKeys(v)
			return err
		}},
		{"HEED_SWEEP_EVERY", "sweep-every", "2m", "how often GitHub is compared with what is known", false, func(s *Server, v string) (err error) {
			s.SweepEvery, err = time.ParseDuration(v)
			if err == nil && s.SweepEvery < 100*time.Millisecond {
				err = errors.New("too short")
			}
			return wrong(err, "a duration such as 2m")
		}},
		{"HEED_DETECT_SECOND_OPINION", "detect.second_opinion", "", "API of a language model of your own, asked about texts between the two thresholds", false, address(func(s *Server) *string { return &s.SecondOpinion.URL })},
		{"HEED_DETECT_SECOND_OPINION_MODEL", "detect.second_opinion.model", "", "the model's name there", false, str(func(s *Server) *string { return &s.SecondOpinion.Model })},
		{"HEED_DETECT_SECOND_OPINION_KEY", "detect.second_opinion.key", "", "sent there as a bearer token", true, str(func(s *Server) *string { return &s.SecondOpinion.Key })},
		{"HEED_DETECT_SECOND_OPINION_TIMEOUT", "detect.second_opinion.timeout", "5s", "how long an answer is waited for", false, func(s *Server, v string) (err error) {
			s.SecondOpinion.Timeout, err = time.ParseDuration(v)
			if err == nil && (s.SecondOpinion.Timeout < 100*time.Millisecond || s.SecondOpinion.Timeout > 30*time.Second) {
				err = errors.New("out of range")
			}
			return wrong(err, "a duration from 100ms to 30s")
		}},
		{"HEED_LOG", "log", "text", "text or json", false, func(s *Server, v string) error {
			s.LogFormat = v
			if v != "text" && v != "json" {
				return errors.New("want text or json")
			}
			return nil
		}},
		{"HEED_LOG_LEVEL", "log-level", "info", "debug, info, warn or error", false, func(s *Server, v string) error {
			return wrong(s.LogLevel.UnmarshalText([]byte(v)), "debug, info, warn or error")
		}},
	}
}

// ParseKeys reads data keys: base64 of 32 bytes each, with spaces, line ends or commas between them.
func ParseKeys(text string) ([][]byte, error) {
	var out [][]byte
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		key, err := base64.StdEncoding.DecodeString(word)
		if err == nil && len(key) != 32 {
			err = errors.New("length")
		}
		if err != nil {
			return nil, wrong(err, "base64 of 32 bytes")
		}
		out = append(out, key)
	}
	if len(out) == 0 {
		return nil, errors.New("want base64 of 32 bytes")
	}
	return out, nil
}

func wrong(err error, want string) error {
	if err != nil {
		return errors.New("want " + want) // the value may be a secret
	}
	return nil
}

func address(field func(*Server) *string) func(*Server, string) error {
	return func(s *Server, v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("want a URL that starts with http:// or https://")
		}
		*field(s) = v
		return nil
	}
}

// Flag is one command-line flag.
type Flag struct{ Name, Usage string }

// Flags lists the flags of all settings but secrets: those would be seen in the list of processes.
func Flags() []Flag {
	var out []Flag
	for _, row := range table() {
		if !row.secret {
			usage := row.help + " (" + row.env + ")"
			if row.fallback != "" {
				usage += ", default " + row.fallback
			}
			out = append(out, Flag{row.flag, usage})
		}
	}
	return out
}

// Load puts the settings together. flags holds the ones that were given; getenv is os.Getenv.
// Every mistake names where it stands.
func Load(flags map[string]string, getenv func(string) string) (Server, error) {
	var (
		s    Server
		errs []error
	)
	path := flags["config"]
	if path == "" {
		path = getenv("HEED_CONFIG")
	}
	file, err := readFile(path)
	if err != nil {
		return s, err
	}
	for _, row := range table() {
		v, where, from, err := row.value(flags, getenv, file, path)
		if err == nil && v != "" {
			err = row.set(&s, v)
		}
		if row.env == "HEED_DATA_KEY" {
			s.KeyFile = from
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
	}
	s.guess()
	return s, errors.Join(append(errs, s.check())...)
}

// guess fills in GitHub's other addresses from that of the REST API: tokens for one GitHub must never
// be sent to another. Source: GitHub's documentation of the addresses of github.com, of data residency
// (api.NAME.ghe.com) and of GitHub Enterprise Server (/api/v3, /api/graphql).
func (s *Server) guess() {
	v3, err := url.Parse(s.V3URL)
	if err != nil || s.V3URL == "" {
		return // said already
	}
	graphql, server := v3.JoinPath("graphql"), strings.TrimSuffix(strings.TrimRight(v3.Path, "/"), "/api/v3")
	if server != strings.TrimRight(v3.Path, "/") {
		graphql.Path = server + "/api/graphql"
	}
	if s.V4URL == "" {
		s.V4URL = graphql.String()
	}
	if s.WebURL == "" {
		s.WebURL = v3.Scheme + "://" + strings.TrimPrefix(v3.Host, "api.") + server
	}
}

// check finds settings that do not go together.
func (s Server) check() error {
	some, all := s.AppID != 0 || s.PrivateKey != "" || s.WebhookSecret != "", s.AppID != 0 && s.PrivateKey != "" && s.WebhookSecret != ""
	switch {
	case s.SecondOpinion.URL == "" && (s.SecondOpinion.Model != "" || s.SecondOpinion.Key != ""):
		return errors.New("HEED_DETECT_SECOND_OPINION is missing, but its model or key is set")
	case some && !all && s.AppID != 0 && s.PrivateKey != "":
		return errors.New("GITHUB_APP_WEBHOOK_SECRET: an App without a webhook secret would believe everybody")
	case some && !all && s.AppID == 0:
		return errors.New("GITHUB_APP_INTEGRATION_ID is missing, but other credentials of the App are set")
	case some && !all:
		return errors.New("GITHUB_APP_PRIVATE_KEY is missing, but other credentials of the App are set")
	}
	return nil
}

// HasApp reports whether there are credentials of a GitHub App.
func (s Server) HasApp() bool { return s.AppID != 0 }

// fileValue is a value of the file with its line.
type fileValue struct {
	text string
	line int
}

// value finds the value of a setting, where it was given, and the file that it was read from if it
// is a secret in a file of its own.
func (row setting) value(flags map[string]string, getenv func(string) string, file map[string]fileValue, path string) (v, where, from string, err error) {
	if v, ok := flags[row.flag]; ok {
		return v, "--" + row.flag, "", given(v)
	}
	if v := getenv(row.env); v != "" {
		return v, row.env, "", nil
	}
	if name := getenv(row.env + "_FILE"); name != "" {
		b, err := os.ReadFile(name) //nolint:gosec // the operator names it
		return strings.TrimSpace(string(b)), row.env + "_FILE", name, err
	}
	if v, ok := file[row.flag]; ok {
		return v.text, fmt.Sprintf("%s:%d: %s", path, v.line, row.flag), "", given(v.text)
	}
	if v, ok := file[row.flag+"-file"]; ok && row.secret {
		b, err := os.ReadFile(v.text)
		return strings.TrimSpace(string(b)), fmt.Sprintf("%s:%d: %s-file", path, v.line, row.flag), v.text, err
	}
	return row.fallback, row.env, "", nil
}

// given: who names a setting and gives it nothing has a variable that is empty, and did not mean "none".
func given(v string) error {
	if v == "" {
		return errors.New("wants a value; who has none leaves it out")
	}
	return nil
}

// readFile reads the settings file: flat keys, each known, each once.
func readFile(path string) (map[string]fileValue, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	var known []string
	for _, row := range table() {
		known = append(known, row.flag)
		if row.secret {
			known = append(known, row.flag+"-file")
		}
	}
	out := map[string]fileValue{}
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue // only comments
		}
		m, ok := doc.Body.(ast.MapNode)
		if !ok {
			return nil, fmt.Errorf("%s:%d: want lines of the form key: value", path, doc.Body.GetToken().Position.Line)
		}
		for it := m.MapRange(); it.Next(); {
			key, value := it.Key().String(), it.Value()
			at := it.Key().GetToken().Position.Line
			text, ok := written(value)
			switch {
			case !slices.Contains(known, key):
				return nil, fmt.Errorf("%s:%d: unknown key %q (known: %s)", path, at, key, strings.Join(known, ", "))
			case !ok:
				return nil, fmt.Errorf("%s:%d: %s wants a single value; who has none leaves the key out", path, at, key)
			}
			out[key] = fileValue{text, at}
		}
	}
	return out, nil
}

// written is a value as it stands in the file, whatever YAML takes it for: a secret of digits stays what it
// is. A value that is missing, a list, a map or one with a tag is none.
func written(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}
