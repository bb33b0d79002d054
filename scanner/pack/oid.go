package pack

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
)

// Type is the type of an object, with the number that git gives it in a pack.
type Type uint8

// The four types of object.
const (
	TypeCommit Type = 1
	TypeTree   Type = 2
	TypeBlob   Type = 3
	TypeTag    Type = 4
)

// Numbers that stand in a pack where a type is expected and say that the object
// is a delta.
const (
	ofsDelta = 6
	refDelta = 7
)

var typeNames = [...]string{TypeCommit: "commit", TypeTree: "tree", TypeBlob: "blob", TypeTag: "tag"}

// String returns git's name of the type: "commit", "tree", "blob" or "tag".
func (t Type) String() string {
	if t.valid() {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

func (t Type) valid() bool { return t >= TypeCommit && t <= TypeTag }

// Format is the hash that names the objects of a store.
type Format uint8

// The formats, as extensions.objectFormat names them.
const (
	SHA1   Format = iota // 20 bytes; the default
	SHA256               // 32 bytes
)

// Size returns the length of an object id in bytes.
func (f Format) Size() int {
	if f == SHA256 {
		return sha256.Size
	}
	return sha1.Size
}

// String returns the name that git uses in extensions.objectFormat.
func (f Format) String() string {
	if f == SHA256 {
		return "sha256"
	}
	return "sha1"
}

func (f Format) new() hash.Hash {
	if f == SHA256 {
		return sha256.New()
	}
	return sha1.New()
}

// OID is an object id of 20 or 32 bytes. It can be compared with == and used as
// a map key. The zero value means "none".
type OID struct {
	n uint8
	b [sha256.Size]byte
}

// ParseOID reads an object id in hexadecimal, 40 or 64 digits of either case.
func ParseOID(s string) (OID, error) {
	var id OID
	if len(s) != 2*sha1.Size && len(s) != 2*sha256.Size {
		return OID{}, fmt.Errorf("parse object id: %d digits, want 40 or 64", len(s))
	}
	if _, err := hex.Decode(id.b[:], []byte(s)); err != nil {
		return OID{}, fmt.Errorf("parse object id: %w", err)
	}
	id.n = uint8(len(s) / 2)
	return id, nil
}

// OIDFromBytes makes an object id of 20 or 32 bytes, which are copied. Any
// other length gives the zero OID.
func OIDFromBytes(b []byte) OID {
	var id OID
	if len(b) == sha1.Size || len(b) == sha256.Size {
		id.n = uint8(len(b))
		copy(id.b[:], b)
	}
	return id
}

// String returns the id in lower-case hexadecimal, "" for the zero OID.
func (id OID) String() string { return hex.EncodeToString(id.b[:id.n]) }

// IsZero reports whether id is the zero value. The null id that git writes as
// forty zeros is not: it is an id of 20 bytes.
func (id OID) IsZero() bool { return id.n == 0 }

// Bytes returns a copy of the raw id; its length is 0, 20 or 32.
func (id OID) Bytes() []byte { return append([]byte(nil), id.b[:id.n]...) }

// AppendTo appends the raw id to b.
func (id OID) AppendTo(b []byte) []byte { return append(b, id.b[:id.n]...) }

// Compare orders ids by their bytes, as git does; it returns -1, 0 or +1.
func (id OID) Compare(other OID) int {
	return bytes.Compare(id.b[:id.n], other.b[:other.n])
}

// appendHeader appends what git hashes in front of an object's content.
func appendHeader(dst []byte, t Type, size int64) []byte {
	dst = append(dst, t.String()...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, size, 10)
	return append(dst, 0)
}

// hasher computes object ids. Not safe for concurrent use.
type hasher struct {
	h   hash.Hash
	buf [64]byte
}

func newHasher(f Format) *hasher { return &hasher{h: f.new()} }

// start begins an object; its content goes into h.h.
func (h *hasher) start(t Type, size int64) {
	h.h.Reset()
	h.h.Write(appendHeader(h.buf[:0], t, size))
}

func (h *hasher) sum() OID { return OIDFromBytes(h.h.Sum(h.buf[:0])) }

func (h *hasher) object(t Type, data []byte) OID {
	h.start(t, int64(len(data)))
	h.h.Write(data)
	return h.sum()
}
