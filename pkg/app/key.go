package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/heed-app/heed/config"
	"github.com/heed-app/heed/pkg/store"
)

// KeyFile is the file that holds the data keys: the one that the settings name, or the one beside the
// SQLite database. It is "" when the keys stand in the settings themselves.
func KeyFile(s config.Server) (string, error) {
	if s.KeyFile != "" || len(s.DataKeys) > 0 {
		return s.KeyFile, nil
	}
	if store.Postgres(s.Database) {
		return "", errors.New("HEED_DATA_KEY is needed with PostgreSQL: base64 of 32 bytes, the same on every replica (openssl rand -base64 32)")
	}
	db, err := store.Path(s.Database)
	return db + ".key", err
}

// Keys gives the data keys of the settings: from a file each time they are asked for, since keys are
// rotated while the App runs.
func Keys(s config.Server) (store.Keys, error) {
	path, err := KeyFile(s)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return func() ([][]byte, error) { return s.DataKeys, nil }, nil
	}
	return func() ([][]byte, error) {
		text, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return nil, fmt.Errorf("data key: %w", err)
		}
		keys, err := config.ParseKeys(string(text))
		if err != nil {
			return nil, fmt.Errorf("data key: %s does not hold base64 of 32 bytes", path)
		}
		return keys, nil
	}, nil
}

// firstKey makes the key beside a SQLite database on the first start, readable by its owner only. A
// database without its key is an error, never a new key.
func firstKey(s config.Server) error {
	path, err := KeyFile(s)
	if err != nil || s.KeyFile != "" || path == "" {
		return err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db := strings.TrimSuffix(path, ".key")
	if _, err := os.Stat(db); err == nil {
		return fmt.Errorf("data key: %s is there but its key %s is not; set HEED_DATA_KEY or put the file back", db, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	// O_EXCL: of two processes that start at once, one makes the key.
	return writeKeys(path, os.O_EXCL, NewKey())
}

// NewKey makes a data key.
func NewKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

// WriteKeys puts keys in the place of those in a file, in one step. The file keeps its owner and who may
// read it: whoever could read the old keys needs the new ones.
func WriteKeys(path string, keys ...[]byte) error {
	old, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	fresh := path + ".new"
	if err := writeKeys(fresh, os.O_TRUNC, keys...); err != nil {
		return err
	}
	if err := errors.Join(keepOwner(fresh, old), os.Chmod(fresh, old.Mode().Perm())); err != nil {
		return fmt.Errorf("data key: %w", errors.Join(err, os.Remove(fresh)))
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("data key: %w", errors.Join(err, os.Remove(fresh)))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeKeys(path string, how int, keys ...[]byte) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|how, 0o600)
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	for _, k := range keys {
		if _, werr := f.WriteString(base64.StdEncoding.EncodeToString(k) + "\n"); werr != nil {
			err = werr
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	return nil
}
