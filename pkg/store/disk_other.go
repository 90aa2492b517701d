//go:build !linux && !darwin

package store

import "errors"

// room cannot be asked for here.
func room(string) (free, size uint64, err error) { return 0, 0, errors.ErrUnsupported }
