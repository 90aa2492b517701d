package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"time"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/store"
)

// keys has one word so far: rotate puts a new data key in the place of the one in use, while the App
// runs.
func (p program) keys(ctx context.Context, c command, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	given := settingFlags(flags, "database")
	words, err := p.parse(c, flags, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "rotate" {
		return c.misused("want rotate")
	}
	settings, err := config.Load(given, p.getenv)
	if err != nil {
		return err
	}
	path, err := app.KeyFile(settings)
	if err != nil {
		return err
	}
	source, err := app.Keys(settings)
	if err != nil {
		return err
	}
	old, err := source()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no key to rotate: %w", err)
	}
	if err != nil {
		return err
	}
	// A file that other hosts have copies of cannot be changed from here.
	ours := path != "" && !store.Postgres(settings.Database)
	switch {
	case ours:
		lock, err := store.LockFile(path + ".lock")
		if err != nil {
			return fmt.Errorf("the keys in %s are being rotated already: %w", path, err)
		}
		defer lock.Close()
		// Somebody may have rotated them since they were read.
		if old, err = source(); err != nil {
			return err
		}
		if err := fits(ctx, settings); err != nil {
			return err
		}
		if err := app.WriteKeys(path, append([][]byte{app.NewKey()}, old...)...); err != nil {
			return err
		}
	case len(old) == 1:
		return errors.New(byHand)
	}
	if err := p.reseal(ctx, settings); err != nil {
		return err
	}
	if !ours {
		_, err := fmt.Fprintln(p.out, "Everything is encrypted with the first key. The others can be taken out of HEED_DATA_KEY; keep them for as long as you keep backups made with them.")
		return err
	}
	now, err := source()
	if err != nil {
		return err
	}
	if err := app.WriteKeys(path, now[0]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "Keep a copy of %s in another place. Backups made before now need the key before.\n", path)
	return err
}

// fits reports whether the keys are those of the database, before any of them is touched.
func fits(ctx context.Context, settings config.Server) error {
	st, err := openStore(ctx, settings)
	if err != nil {
		return err
	}
	secret, err := st.Get(ctx, "secret")
	if err == nil && secret == "" {
		err = errors.New("no App ever worked with this database")
	}
	return errors.Join(err, st.Close())
}

// byHand is how keys are rotated that stand in the settings of several processes.
const byHand = `the keys stand in the settings, which only you can change. In three steps no process ever meets a key that it does not know:
1. make a new key (openssl rand -base64 32), put it behind the old one in HEED_DATA_KEY (OLD,NEW) and restart every replica;
2. put the new one first (NEW,OLD) and restart every replica;
3. call heed keys rotate again, which encrypts everything with NEW; then take OLD out`

// learning is how long a running App may take to learn of a new key.
const learning = 2 * store.Dead

// reseal waits until every running process uses the first key, and then encrypts everything with it.
func (p program) reseal(ctx context.Context, settings config.Server) (err error) {
	st, err := openStore(ctx, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Announce(ctx, time.Now()); err != nil {
		return err
	}
	for began := time.Now(); ; {
		behind, err := st.Behind(ctx, time.Now())
		if err != nil {
			return err
		}
		if behind == 0 {
			break
		}
		if time.Since(began) > learning {
			return fmt.Errorf("%d running processes do not use the new key; nothing is lost: all keys are kept. Restart them and call heed keys rotate again", behind)
		}
		fmt.Fprintf(p.err, "waiting for %d running processes to take up the new key …\n", behind)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(3 * time.Second):
		}
	}
	n, err := st.Reseal(ctx, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%d values were encrypted anew.\n", n)
	return err
}
