package source

import (
	"iter"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// passCommit hands the message of a commit to fn, and the headers that are not
// its tree, parents and authors (a signature, a merged tag, whatever a tool has
// added), each as "name value". buf is scratch space.
func passCommit(c *pack.Commit, hash string, buf *[]byte, fn func(b *scanner.Blob) error) error {
	*buf = appendHeaders((*buf)[:0], c.Headers())
	return passTexts(scanner.Blob{Hash: hash, Where: scanner.InMessage}, fn, *buf, c.Message)
}

// passTag hands the message of a tag to fn, and its name and further headers.
func passTag(t *pack.Tag, hash string, buf *[]byte, fn func(b *scanner.Blob) error) error {
	*buf = appendHeaders(append(append((*buf)[:0], t.Name...), '\n'), t.Headers())
	return passTexts(scanner.Blob{Hash: hash, Where: scanner.InTag}, fn, *buf, t.Message)
}

func passTexts(b scanner.Blob, fn func(b *scanner.Blob) error, texts ...[]byte) error {
	for _, text := range texts {
		if len(text) == 0 {
			continue
		}
		part := b
		part.Data = text
		if err := fn(&part); err != nil {
			return err
		}
	}
	return nil
}

func appendHeaders(dst []byte, headers iter.Seq2[[]byte, []byte]) []byte {
	for name, value := range headers {
		dst = append(append(append(append(dst, name...), ' '), value...), '\n')
	}
	return dst
}
