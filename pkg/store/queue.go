package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// A Queue works jobs off.
type Queue interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// quiet is the logger of the client that only inserts: it has nothing to say.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// The topic and payload with which River announces a job that can be fetched.
const (
	insertTopic   = "river_insert"
	insertPayload = `{"queue": %q}`
)

// A bell tells the workers of this process that jobs were committed. River's SQLite driver
// emulates LISTEN and NOTIFY with a table that it polls 20 times a second; with two jobs between
// a webhook and its effect that alone would use up the 100 ms that a leak may stand open.
type bell struct {
	mu        sync.Mutex
	listeners map[*bellListener]bool
}

func newBell() *bell { return &bell{listeners: map[*bellListener]bool{}} }

func (b *bell) ring(queue string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		select {
		case l.rung <- queue:
		default: // it has enough to wake up for, and looks at everything when it does
		}
	}
}

// ringingDriver is River's SQLite driver with the bell for a listener. River calls the interface
// unstable; the version is pinned, and a test sees to it that a rung bell is heard.
type ringingDriver struct {
	*riversqlite.Driver
	bell *bell
}

func newRingingDriver(db *sql.DB, b *bell) *ringingDriver {
	return &ringingDriver{Driver: riversqlite.New(db), bell: b}
}

// SupportsListenNotify is false: nothing needs to be written into the table of notifications.
func (d *ringingDriver) SupportsListenNotify() bool { return false }

func (d *ringingDriver) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &bellListener{bell: d.bell, schema: p.Schema, rung: make(chan string, 64)}
}

type bellListener struct {
	bell   *bell
	schema string
	rung   chan string
}

func (l *bellListener) Connect(context.Context) error {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	l.bell.listeners[l] = true
	return nil
}

func (l *bellListener) Close(context.Context) error {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	delete(l.bell.listeners, l)
	return nil
}

func (l *bellListener) Listen(context.Context, string) error   { return nil }
func (l *bellListener) Unlisten(context.Context, string) error { return nil }
func (l *bellListener) Ping(context.Context) error             { return nil }
func (l *bellListener) Schema() string                         { return l.schema }
func (l *bellListener) SetAfterConnectExec(string)             {}

func (l *bellListener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case q := <-l.rung:
		return &riverdriver.Notification{Topic: insertTopic, Payload: fmt.Sprintf(insertPayload, q)}, nil
	}
}
