package archive

import (
	"bytes"
	"encoding/binary"
)

// opens tells whether an archive of this kind is looked into.
func opens(kind string) bool {
	switch kind {
	case "zip", "tar", "gzip", "bzip2", "zstd":
		return true
	}
	return false
}

// Kind returns what data is, going by its magic bytes: "zip", "gzip", "tar",
// "bzip2", "zstd", which [Each] opens; "xz", "7z", "rar", "lz4", "lzip", "cab",
// which it lists; "" when it is none of these. A file with a zip appended to it
// (a self-extracting one) is a "zip" when the zip has no comment.
//
// It looks at a few bytes at the start and the end, at one block of 512 bytes
// where they look like the header of a tar. Text is told from all others by
// its first byte and the byte at 148.
func Kind(data []byte) string {
	if kind := kindOfHead(data); kind != "" {
		return kind
	}
	if endsWithZip(data) {
		return "zip"
	}
	return ""
}

// kindOfHead is Kind for the beginning of something longer.
func kindOfHead(data []byte) string {
	if len(data) < 6 {
		return ""
	}
	switch data[0] {
	case 'P':
		if data[1] != 'K' {
			break
		}
		switch string(data[2:4]) {
		case "\x03\x04", "\x05\x06": // a local header; the end of an empty zip
			return "zip"
		case "\x07\x08", "00": // marks of a zip in several parts
			if len(data) >= 8 && string(data[4:8]) == "PK\x03\x04" {
				return "zip"
			}
		}
	case 0x1f:
		// Deflate is the only method there is; three flags are reserved.
		if data[1] == 0x8b && data[2] == 8 && data[3]&0xe0 == 0 {
			return "gzip"
		}
	case 'B':
		// The magic number of a block, or of the end: "BZh9" alone is text.
		if len(data) >= 10 && data[1] == 'Z' && data[2] == 'h' && '1' <= data[3] && data[3] <= '9' {
			if s := string(data[4:10]); s == "1AY&SY" || s == "\x17\x72\x45\x38\x50\x90" {
				return "bzip2"
			}
		}
	case 0x28:
		if string(data[1:4]) == "\xb5\x2f\xfd" {
			return "zstd"
		}
	case 0xfd:
		if string(data[1:6]) == "7zXZ\x00" {
			return "xz"
		}
	case '7':
		if string(data[1:6]) == "z\xbc\xaf\x27\x1c" {
			return "7z"
		}
	case 'R':
		if string(data[1:6]) == "ar!\x1a\x07" {
			return "rar"
		}
	case 0x04:
		if string(data[1:4]) == "\x22\x4d\x18" {
			return "lz4"
		}
	case 'L':
		if string(data[1:4]) == "ZIP" && data[4] <= 1 {
			return "lzip"
		}
	case 'M':
		if len(data) >= 8 && string(data[1:8]) == "SCF\x00\x00\x00\x00" {
			return "cab"
		}
	}
	if len(data) >= block && tarHeader(data[:block]) {
		return "tar"
	}
	return ""
}

// tarHeader tells whether b, of 512 bytes, is the header of a tar entry: its
// checksum is right. That holds for every tar since Unix version 7, which had no
// magic yet.
func tarHeader(b []byte) bool {
	// Six digits, then NUL and space in either order; some writers pad with
	// spaces, some leave leading zeros out.
	var want int64
	digits := 0
	for _, ch := range b[148:156] {
		switch {
		case '0' <= ch && ch <= '7':
			want = want<<3 | int64(ch-'0')
			digits++
		case ch == ' ' && digits == 0:
		case (ch == ' ' || ch == 0) && digits > 0:
			goto sum
		default:
			return false
		}
	}
sum:
	if digits == 0 {
		return false
	}
	// The sum takes the checksum for spaces. Old writers summed signed bytes.
	sum, signed := int64(8*' '), int64(8*' ')
	for i, ch := range b {
		if i < 148 || i >= 156 {
			sum += int64(ch)
			signed += int64(int8(ch))
		}
	}
	return sum == want || signed == want
}

// endsWithZip tells whether data ends with the directory of a zip.
func endsWithZip(data []byte) bool {
	if len(data) < endLen || data[len(data)-endLen] != 'P' {
		return false
	}
	end := data[len(data)-endLen:]
	if !bytes.HasPrefix(end, []byte("PK\x05\x06")) || end[20] != 0 || end[21] != 0 {
		return false
	}
	// Random bytes do not have a directory entry where the directory begins.
	at := int64(len(data)) - endLen - int64(binary.LittleEndian.Uint32(end[12:]))
	return at >= 0 && bytes.HasPrefix(data[at:], []byte("PK\x01\x02"))
}
