package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// A sealed value is: version, four bytes that name the key, AES-256-GCM with nonce and tag. The
// associated data binds a value to its place, so that rows cannot be swapped.
type sealer struct {
	aead *subtle.AESGCM
	id   [4]byte
}

const sealVersion = 1

func newSealer(key []byte) (*sealer, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("data key: want 32 bytes, have %d", len(key))
	}
	aead, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	sum := sha256.Sum256(key)
	return &sealer{aead: aead, id: [4]byte(sum[:4])}, nil
}

// seal compresses and encrypts.
func (s *sealer) seal(plain []byte, place string) ([]byte, error) {
	c, err := s.aead.Encrypt(s2.Encode(nil, plain), []byte(place))
	if err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", place, err)
	}
	return append(append([]byte{sealVersion}, s.id[:]...), c...), nil
}

func (s *sealer) open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) < 5 || sealed[0] != sealVersion {
		return nil, fmt.Errorf("decrypt %s: not a sealed value", place)
	}
	if [4]byte(sealed[1:5]) != s.id {
		return nil, fmt.Errorf("decrypt %s: %w", place, ErrKey)
	}
	c, err := s.aead.Decrypt(sealed[5:], []byte(place))
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
		return err
	}
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(v); err != nil {
		return fmt.Errorf("decode %s: %w", place, err)
	}
	return nil
}
