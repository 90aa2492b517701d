package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/palantir/go-githubapp/githubapp"

	"github.com/heed-app/heed/pkg/door"
)

const loadSecret = "it is only a measurement"

// entrance is something that takes webhooks in.
type entryway struct {
	name    string
	handler http.Handler
	close   func() error
	procs   func() (back func()) // how it runs in heed serve
	rates   map[int][]float64
	took    map[int][]time.Duration
}

// doors compares how many deliveries a second are taken in: by Heed, which answers when they are on
// disk, and by a bare go-githubapp, which keeps them in memory and loses them with the process.
func (l load) doors(ctx context.Context) (err error) {
	ways, err := l.entryways(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range ways {
			err = errors.Join(err, w.close())
		}
	}()
	connections, parcels := []int{16, 64}, parcels()
	for range l.rounds {
		for _, w := range ways {
			for _, n := range connections {
				if err := l.knock(ctx, w, parcels, n); err != nil {
					return fmt.Errorf("%s: %w", w.name, err)
				}
			}
		}
	}
	fmt.Fprintf(l.out, "\nDeliveries of 6 KB, taken in (median of %d rounds; the sender shares the machine)\n", l.rounds)
	fmt.Fprintf(l.out, "%-28s %12s %12s %10s %10s %8s\n", "", "connections", "per second", "p50", "p99", "ratio")
	for _, n := range connections {
		bare := median(ways[0].rates[n])
		for _, w := range ways {
			slices.Sort(w.took[n])
			rate := median(w.rates[n])
			fmt.Fprintf(l.out, "%-28s %12d %12.0f %10s %10s %8.2f\n", w.name, n, rate, milliseconds(quantile(w.took[n], .5)), milliseconds(quantile(w.took[n], .99)), rate/bare)
		}
	}
	return nil
}

// nothing is a handler of go-githubapp that does nothing.
type nothing struct{}

// Handles implements githubapp.EventHandler.
func (nothing) Handles() []string { return []string{"issues"} }

// Handle implements githubapp.EventHandler.
func (nothing) Handle(context.Context, string, string, []byte) error { return nil }

func (l load) entryways(ctx context.Context) ([]*entryway, error) {
	bare := githubapp.NewEventDispatcher([]githubapp.EventHandler{nothing{}}, loadSecret, githubapp.WithScheduler(githubapp.QueueAsyncScheduler(10_000, 10)))
	ways := []*entryway{{name: "go-githubapp, in memory", handler: bare, close: func() error { return nil }, procs: func() func() { return func() {} }}}
	for _, postgres := range []bool{false, true} {
		if postgres && l.server == nil {
			continue
		}
		st, _, err := l.database(ctx, postgres)
		if err != nil {
			return nil, err
		}
		st.Patient(time.After)
		d, err := door.New(st, []string{loadSecret}, time.Now, slog.New(slog.DiscardHandler))
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		w := &entryway{name: "Heed, PostgreSQL", handler: d, close: st.Close, procs: ways[0].procs}
		if !postgres {
			w.name, w.procs = "Heed, SQLite", moreProcs
		}
		ways = append(ways, w)
	}
	for _, w := range ways {
		w.rates, w.took = map[int][]float64{}, map[int][]time.Duration{}
	}
	return ways, nil
}

// knock sends deliveries over so many connections at once for a while.
func (l load) knock(ctx context.Context, w *entryway, parcels []parcel, connections int) error {
	defer w.procs()()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: w.handler, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	var (
		all      sync.WaitGroup
		mu       sync.Mutex
		n        atomic.Int64
		failures []error
	)
	began := time.Now()
	until := began.Add(time.Duration(l.seconds * float64(time.Second)))
	for range connections {
		all.Go(func() {
			took, err := keepKnocking(ctx, listener.Addr().String(), parcels, until)
			n.Add(int64(len(took)))
			mu.Lock()
			defer mu.Unlock()
			w.took[connections] = append(w.took[connections], took...)
			if err != nil {
				failures = append(failures, err)
			}
		})
	}
	all.Wait()
	w.rates[connections] = append(w.rates[connections], float64(n.Load())/time.Since(began).Seconds())
	err = srv.Close()
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(append(failures, err)...)
}

// keepKnocking is one sender with a connection of its own.
func keepKnocking(ctx context.Context, address string, parcels []parcel, until time.Time) (took []time.Duration, err error) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for i := rand.IntN(len(parcels)); time.Now().Before(until); i++ { //nolint:gosec // chance, not secrets
		p := parcels[i%len(parcels)]
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address, bytes.NewReader(p.body))
		if err != nil {
			return took, err
		}
		r.Header = http.Header{
			"Content-Type": {"application/json"}, "X-Github-Event": {"issues"}, "X-Hub-Signature-256": {p.signature},
			"X-Github-Delivery": {fmt.Sprintf("load-%p-%d-%d", transport, until.UnixNano(), i)},
		}
		sent := time.Now()
		res, err := client.Do(r)
		if err != nil {
			return took, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return took, err
		}
		if res.StatusCode < 200 || res.StatusCode > 299 {
			return took, errors.New(res.Status)
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// parcel is a delivery ready to be sent, but for its name.
type parcel struct {
	body      []byte
	signature string
}

// parcels are deliveries of the usual size from one repository. As with GitHub's, half of each is the
// repository's own addresses, the same every time; then come the issue's, and what somebody wrote.
func parcels() (out []parcel) {
	words := strings.Fields("the parameter q of search is not escaped and server answers with an error when I open it in version again " +
		"build fails on my machine after update log shows nothing useful but here are steps to reproduce expected actual behaviour please help thanks")
	var repo bytes.Buffer
	for i := 0; repo.Len() < 3000; i++ {
		fmt.Fprintf(&repo, `"%s%d_url":"https://api.github.com/repos/acme/web/%s{/%s}",`, words[i%len(words)], i, words[i%len(words)], words[i*7%len(words)])
	}
	for i := range 1000 {
		r := rand.New(rand.NewPCG(1, uint64(i))) //nolint:gosec // the same texts each time
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"action":"opened","issue":{"id":%d,"node_id":"%x",`, r.Uint64(), r.Uint64())
		for k := 0; b.Len() < 1500; k++ {
			fmt.Fprintf(&b, `"%s_url":"https://api.github.com/repos/acme/web/issues/%d/%s",`, words[k%len(words)], 1000+i, words[k%len(words)])
		}
		b.WriteString(`"body":"`)
		for b.Len() < 3000 {
			fmt.Fprintf(&b, "%s ", words[r.IntN(len(words))])
		}
		fmt.Fprintf(&b, `"},"repository":{%s"id":1}}`, repo.Bytes())
		h := hmac.New(sha256.New, []byte(loadSecret))
		_, _ = h.Write(b.Bytes()) // never fails
		out = append(out, parcel{b.Bytes(), "sha256=" + hex.EncodeToString(h.Sum(nil))})
	}
	return out
}
