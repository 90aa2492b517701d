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

// dataKey is the key of the settings, or the one beside the SQLite database: made on the first
// start, readable by its owner only. A database without its key is an error, never a new key.
func dataKey(s config.Server) ([]byte, error) {
	if len(s.DataKey) > 0 {
		return s.DataKey, nil
	}
	db, err := store.Path(s.Database)
	if err != nil {
		return nil, err
	}
	path := db + ".key"
	text, err := os.ReadFile(filepath.Clean(path))
	if err == nil {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("data key: %s does not hold base64 of 32 bytes", path)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data key: %w", err)
	}
	if _, err := os.Stat(db); err == nil {
		return nil, fmt.Errorf("data key: %s is there but its key %s is not; set HEED_DATA_KEY or put the file back", db, path)
	}
	return makeKey(path)
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	// O_EXCL: of two processes that start at once, one makes the key.
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	return key, nil
}
