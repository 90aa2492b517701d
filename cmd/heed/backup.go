package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/store"
)

// backup writes a consistent copy of the database while the App goes on working.
func (p program) backup(ctx context.Context, c command, args []string) error {
	settings, file, err := p.oneFile(c, flag.NewFlagSet(c.name, flag.ContinueOnError), args)
	if err != nil {
		return err
	}
	st, err := openStore(ctx, settings)
	if err != nil {
		return err
	}
	if err := errors.Join(st.Backup(ctx, file), st.Close()); err != nil {
		return err
	}
	db, err := store.Path(settings.Database)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s is backed up in %s.\n", db, file)
	_, err = fmt.Fprintf(p.out, "The copy is encrypted and the key is not in it. Keep %s too, in another place.\n", keyName(settings, db))
	return err
}

// restore puts a copy in the place of the database, once it has proved to be one.
func (p program) restore(ctx context.Context, c command, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	force := flags.Bool("force", false, "replace the database that is there")
	settings, file, err := p.oneFile(c, flags, args)
	if err != nil {
		return err
	}
	db, err := store.Path(settings.Database)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(db); err == nil && !*force {
		return fmt.Errorf("%s exists already; --force replaces it", db)
	}
	if err := alone(file, db); err != nil {
		return err
	}
	if settings, err = withKeys(settings, db); err != nil {
		return err
	}
	fresh := db + ".restoring"
	defer func() {
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(fresh + end) // in the best case nothing of it is left
		}
	}()
	if err := copyFile(file, fresh); err != nil {
		return fmt.Errorf("copy %s: %w", file, err)
	}
	n, err := prove(ctx, settings, fresh)
	if err != nil {
		return fmt.Errorf("%s is not a backup that this key opens: %w", file, err)
	}
	if err := replace(ctx, fresh, db); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s is restored from %s; cases in it: %d.\nIt needs the same key as before: %s, which is not in the backup.\n", db, file, n, keyName(settings, db))
	return err
}

// alone refuses a file that is not the whole of a copy: the database itself, or one with a log beside it, in
// which the newest is.
func alone(file, db string) error {
	from, err := os.Stat(file)
	if err != nil {
		return err
	}
	if to, err := os.Stat(db); err == nil && os.SameFile(from, to) {
		return fmt.Errorf("%s is the database itself", file)
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("%s is not a backup but a database, whose newest part is in %s-wal; heed backup makes copies", file, file)
	}
	return nil
}

// oneFile reads the command line that backup and restore have in common.
func (p program) oneFile(c command, flags *flag.FlagSet, args []string) (config.Server, string, error) {
	given := settingFlags(flags, "database")
	words, err := p.parse(c, flags, args)
	if err != nil {
		return config.Server{}, "", err
	}
	if len(words) != 1 {
		return config.Server{}, "", c.misused("want one file")
	}
	settings, err := config.Load(given, p.getenv)
	return settings, words[0], err
}

// keyName is where the key of a database is kept.
func keyName(s config.Server, db string) string {
	if _, err := os.Stat(db + ".key"); err == nil {
		return db + ".key"
	}
	return "HEED_DATA_KEY"
}

// withKeys finds the keys that the App would take, wherever the database is proved. Nothing is
// restored without one: a new key beside an old database would lock it for ever.
func withKeys(s config.Server, db string) (config.Server, error) {
	keys, err := app.Keys(s)
	if err != nil {
		return s, err
	}
	s.DataKeys, err = keys()
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("the key is missing: put the file %s.key back first, or set HEED_DATA_KEY", db)
	}
	return s, err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Clean(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// prove opens a database with the key of the settings, lets SQLite check it and reads all cases.
func prove(ctx context.Context, s config.Server, path string) (cases int, err error) {
	db, err := sql.Open("sqlite", dsn(path)+"?mode=ro")
	if err != nil {
		return 0, err
	}
	var verdict string
	err = db.QueryRowContext(ctx, `pragma integrity_check`).Scan(&verdict)
	ours := 0
	if err == nil { // nothing is made of what was none of ours
		err = db.QueryRowContext(ctx, `select count(*) from setting where name = 'secret'`).Scan(&ours)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	if verdict != "ok" {
		return 0, errors.New(verdict)
	}
	if ours == 0 {
		return 0, errors.New("no App ever worked with it")
	}
	s.Database = "sqlite://" + (&url.URL{Path: path}).EscapedPath()
	st, err := app.OpenStore(ctx, s)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if _, err := st.Get(ctx, "secret"); err != nil {
		return 0, err
	}
	cs, err := st.Cases(ctx, true)
	if err != nil {
		return 0, err
	}
	return len(cs), st.SkipCases(ctx, time.Now(), lostCases)
}

// lostCases is how many numbers are passed over after those of the backup: what was opened since then has left
// marks with them on GitHub, and no other case may be taken for it.
const lostCases = 10_000

// replace moves the fresh database to its place, unless somebody works with the old one.
func replace(ctx context.Context, fresh, path string) error {
	if _, err := os.Stat(path); err == nil {
		old, err := sql.Open("sqlite", dsn(path)+"?_pragma=busy_timeout(1000)")
		if err != nil {
			return err
		}
		defer old.Close()
		old.SetMaxOpenConns(1)
		if err := seize(ctx, old); err != nil {
			return fmt.Errorf("%s is in use; stop heed serve first: %w", path, err)
		}
	}
	// An old log beside the new file would be taken for the new one's.
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// seize keeps everybody out of a database until it is closed. SQLite lets nobody leave its log
// (WAL) while others have the database open: that finds an App that runs but does nothing. A
// database too broken to be opened is in nobody's use, and is why one restores.
func seize(ctx context.Context, db *sql.DB) error {
	for _, q := range []string{`pragma journal_mode = delete`, `begin exclusive`} {
		_, err := db.ExecContext(ctx, q)
		if e, ok := errors.AsType[*sqlite.Error](err); ok && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED) {
			return err
		}
	}
	return nil
}

func dsn(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }
