package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keys gives the data keys, 32 bytes each: the first encrypts, all decrypt. It is asked again when
// a value names a key that is not among them: somebody may be rotating the keys.
type Keys func() ([][]byte, error)

// OneKey is a key that never changes.
func OneKey(key []byte) Keys { return func() ([][]byte, error) { return [][]byte{key}, nil } }

// KeyID names a key wherever it was used. It tells nothing about the key.
func KeyID(key []byte) uint32 {
	sum := sha256.Sum256(key)
	return max(1, binary.BigEndian.Uint32(sum[:4])) // tink knows no key 0
}

// A sealer encrypts what is embargoed. A sealed value is Tink's AES-256-GCM: a byte for the version,
// four that name the key, nonce, ciphertext, tag. The associated data binds a value to its place, so
// that rows cannot be swapped.
type sealer struct {
	keys Keys

	mu      sync.RWMutex
	aead    tink.AEAD
	primary [5]byte // what every value starts with that the first key sealed
	known   map[[5]byte]bool

	scratch sync.Pool // of *[]byte, room for what was compressed and not encrypted yet
}

func newSealer(keys Keys) (*sealer, error) {
	s := &sealer{keys: keys, scratch: sync.Pool{New: func() any { return new([]byte) }}}
	return s, s.load()
}

func prefix(id uint32) [5]byte {
	p := [5]byte{1}
	binary.BigEndian.PutUint32(p[1:], id)
	return p
}

// load takes the keys as they are now.
func (s *sealer) load() error {
	keys, err := s.keys()
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return errors.New("data key: there is none")
	}
	params, err := aesgcm.NewParameters(aesgcm.ParametersOpts{KeySizeInBytes: 32, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink})
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	manager, known := keyset.NewManager(), map[[5]byte]bool{}
	for _, k := range keys {
		if len(k) != 32 {
			return fmt.Errorf("data key: want 32 bytes, have %d", len(k))
		}
		if known[prefix(KeyID(k))] {
			continue // given twice
		}
		key, err := aesgcm.NewKey(secretdata.NewBytesFromData(k, insecuresecretdataaccess.Token{}), KeyID(k), params)
		if err != nil {
			return fmt.Errorf("data key: %w", err)
		}
		if _, err := manager.AddKey(key); err != nil {
			return fmt.Errorf("data key: %w", err)
		}
		known[prefix(KeyID(k))] = true
	}
	if err := manager.SetPrimary(KeyID(keys[0])); err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("data key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aead, s.primary, s.known = primitive, prefix(KeyID(keys[0])), known
	return nil
}

// now is the primitive that knows the key of a value, if there is one.
func (s *sealer) now(sealed []byte) (tink.AEAD, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.aead, len(sealed) >= 5 && s.known[[5]byte(sealed[:5])]
}

// seal compresses and encrypts.
func (s *sealer) seal(plain []byte, place string) ([]byte, error) {
	primitive, _ := s.now(nil)
	room := s.scratch.Get().(*[]byte)
	defer s.scratch.Put(room)
	if n := s2.MaxEncodedLen(len(plain)); n > cap(*room) {
		*room = make([]byte, n) // MaxEncodedLen is -1 for what cannot be: far beyond any payload
	}
	*room = (*room)[:cap(*room)]
	c, err := primitive.Encrypt(s2.Encode(*room, plain), []byte(place))
	if err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", place, err)
	}
	return c, nil
}

func (s *sealer) open(sealed []byte, place string) ([]byte, error) {
	primitive, known := s.now(sealed)
	if !known && len(sealed) >= 5 && sealed[0] == 1 {
		if err := s.load(); err != nil {
			return nil, fmt.Errorf("decrypt %s: %w", place, err)
		}
		if primitive, known = s.now(sealed); !known {
			return nil, fmt.Errorf("decrypt %s: %w", place, ErrKey)
		}
	}
	if !known {
		return nil, fmt.Errorf("decrypt %s: not a sealed value", place)
	}
	c, err := primitive.Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("decrypt %s: %w", place, err)
	}
	plain, err := s2.Decode(nil, c)
	if err != nil {
		return nil, fmt.Errorf("decompress %s: %w", place, err)
	}
	return plain, nil
}

// ErrKey says that a value was encrypted with another data key.
var ErrKey = errors.New("the data key is not the one this database was written with")

// sealValue writes a value with gob, the one encoding that reveals embargoed text, and encrypts it.
func (s *sealer) sealValue(v any, place string) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return nil, fmt.Errorf("encode %s: %w", place, err)
	}
	return s.seal(b.Bytes(), place)
}

func (s *sealer) openValue(sealed []byte, place string, v any) error {
	b, err := s.open(sealed, place)
	if err != nil {
		return unread{err}
	}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(v); err != nil {
		return unread{fmt.Errorf("decode %s: %w", place, err)}
	}
	return nil
}

// unread is the error of a value that is damaged, or whose key is not there. It is nobody else's trouble.
type unread struct{ error }

func (u unread) Unwrap() error { return u.error }

func isUnreadable(err error) bool {
	var u unread
	return errors.As(err, &u)
}
