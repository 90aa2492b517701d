// Package postgrestest starts a PostgreSQL server of its own for tests and benchmarks: an empty one,
// on a free port of this machine, that is gone when it is stopped.
package postgrestest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// ErrNone says that PostgreSQL's programs are not on this machine.
var ErrNone = errors.New("no PostgreSQL on this machine: initdb and postgres are neither in the PATH nor in /usr/lib/postgresql")

// Tester is what this package asks of a *testing.T.
type Tester interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Skip(args ...any)
	Fatal(args ...any)
}

// For starts a server for a test, which ends with it. It does not wait for the disk.
func For(t Tester) *Server {
	t.Helper()
	s, err := Start(t.Context(), false)
	Check(t, err)
	t.Cleanup(func() { _ = s.Stop() }) // what is left is in the directory of temporary files
	return s
}

// Check ends a test for which Start failed. On a desk without PostgreSQL it is skipped, on CI never.
func Check(t Tester, err error) {
	t.Helper()
	if errors.Is(err, ErrNone) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Server is a running server.
type Server struct {
	dir  string
	port string
	bin  string
	args []string
	cmd  *exec.Cmd
	next atomic.Int64
}

// Start starts a server. durable: a commit waits for the disk, as in real life; else it is quicker.
func Start(ctx context.Context, durable bool) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "heed-postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, port: "0"}
	if err := own(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	init := s.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "heed", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	if s.port, err = freePort(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.args = []string{"-D", filepath.Join(dir, "data"), "-p", s.port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"}
	if !durable {
		s.args = append(s.args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	if err := s.up(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func programs() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil { // a link alone does not find its libraries
			return filepath.Dir(p), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNone
	}
	return filepath.Dir(slices.Max(found)), nil
}

// command makes one that runs as somebody whom PostgreSQL accepts: not as root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, name), args...) //nolint:gosec // a program of PostgreSQL
	cmd.Dir = s.dir
	asNobody(cmd)
	return cmd
}

func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// up starts the server and waits until it answers.
func (s *Server) up(ctx context.Context) error {
	log := &bytes.Buffer{}
	s.cmd = s.command("postgres", s.args...)
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return fmt.Errorf("postgres did not start: %w", err)
}

func (s *Server) down(signal os.Signal) error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		return err
	}
	_ = s.cmd.Wait() // killed or not, it is gone
	s.cmd = nil
	return nil
}

// Down stops the server as an operator would who does not wait for its clients (fast shutdown); Up
// starts it again.
func (s *Server) Down() error { return s.down(os.Interrupt) }

// Up starts the server after Down.
func (s *Server) Up(ctx context.Context) error { return s.up(ctx) }

// Stop ends the server and removes everything.
func (s *Server) Stop() error { return errors.Join(s.down(os.Interrupt), os.RemoveAll(s.dir)) }

func (s *Server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("heed"), Host: net.JoinHostPort("127.0.0.1", s.port), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(ctx context.Context) (string, error) {
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	name := "heed" + strconv.FormatInt(s.next.Add(1), 10)
	if _, err := db.ExecContext(ctx, "create database "+name); err != nil {
		return "", err
	}
	return s.url(name), nil
}
