package app_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/store"
)

// one is a listener with one connection.
type one struct {
	conn   chan net.Conn
	closed func()
	over   chan struct{}
}

func listen(c net.Conn) *one {
	l := &one{conn: make(chan net.Conn, 1), over: make(chan struct{})}
	l.closed = sync.OnceFunc(func() { close(l.over) })
	l.conn <- c
	return l
}

func (l *one) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *one) Close() error { l.closed(); return nil }

func (l *one) Addr() net.Addr { return &net.TCPAddr{} }

// Who never finishes what he sends cannot keep us from stopping. The clock of a synctest bubble stands still
// until everybody waits: no time is spent here.
func TestWhoNeverFinishesDoesNotKeepUs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		ctx, stop := context.WithCancel(t.Context())
		reading, ended := make(chan bool), make(chan error, 1)
		go func() {
			ended <- app.Serve(ctx, listen(server), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(reading)
				_, _ = io.ReadAll(r.Body)
			}))
		}()
		if _, err := client.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")); err != nil {
			t.Fatal(err)
		}
		<-reading
		stop()
		asked := time.Now()
		if err := <-ended; err != nil || time.Since(asked) > 15*time.Second {
			t.Errorf("it ended after %s with %v", time.Since(asked), err)
		}
	})
}

// A database that hangs is told, and does not keep the one who asks.
func TestReadyWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := openWorld(t)
		held, release, done := make(chan bool), make(chan bool), make(chan error)
		go func() {
			done <- w.app.Store.Write(t.Context(), w.now, func(*store.Tx) error {
				close(held)
				<-release
				return nil
			})
		}()
		<-held
		asked := time.Now()
		if said := get(w, "/readyz"); !strings.Contains(said, "not ready: the database cannot be written") || time.Since(asked) > 10*time.Second {
			t.Errorf("after %s: %s", time.Since(asked), said)
		}
		close(release)
		check(t, <-done)
	})
}
