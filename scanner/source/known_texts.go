package source

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/pack"
)

// foundSpan is a span and the hash of its text, which is not kept: spans with
// the same hash get the same number in a record.
type foundSpan struct {
	span
	sum [sha256.Size]byte
}

func spansWith(data []byte, list []span) []foundSpan {
	out := make([]foundSpan, len(list))
	for i, s := range list {
		out[i] = foundSpan{s, sha256.Sum256(data[s.from:s.to])}
	}
	return out
}

// spanned reports whether of a blob of the record only the spans are looked at,
// be it in another blob that has the same texts.
func (k *known) spanned(i int) bool {
	const blob = pack.TypeBlob
	return !k.reread && k.present[blob][i] && !k.again[blob][i] && k.kinds[blob].flags[i]&flagTold != 0 && len(k.spans[uint32(i)]) > 0
}

// knownText is the text of spans with the same number.
type knownText struct {
	data []byte // nil when it could not be read
	sum  [sha256.Size]byte
}

// readSpanned passes on the spans of all blobs that have some. Each text is read
// once. A blob with a text that could not be read is left to be read whole, and
// returned.
func (w *historyWalk) readSpanned(ctx context.Context) (rest []pack.OID, err error) {
	k := w.known
	table := &k.kinds[pack.TypeBlob]
	var blobs []int
	for i := range k.spans {
		if k.spanned(int(i)) {
			blobs = append(blobs, int(i))
		}
	}
	if len(blobs) == 0 {
		return nil, nil
	}
	// The smallest blobs first: they are the least work.
	slices.SortFunc(blobs, func(a, b int) int { return cmp.Or(cmp.Compare(table.sizes[a], table.sizes[b]), a-b) })
	chosen := make([]bool, k.texts)
	var some []pack.OID
	for _, i := range blobs {
		needed := false
		for _, s := range k.spans[uint32(i)] {
			needed = needed || !chosen[s.text]
			chosen[s.text] = true
		}
		if needed {
			some = append(some, table.id(i))
		}
	}
	texts := make([]knownText, k.texts)
	var mu sync.Mutex
	_, err = w.store.Pick(ctx, some, len(w.workers), func(_ int, o *pack.Object) error {
		for _, s := range k.spansOf(o) {
			mu.Lock()
			if t := &texts[s.text]; t.data == nil {
				t.data = bytes.Clone(o.Data[s.from:s.to])
				t.sum = sha256.Sum256(t.data)
			}
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// A text is passed on once, for all spans that have it.
	passed := make([]*scanner.Blob, k.texts)
	for _, i := range blobs {
		id, list := table.id(i), k.spans[uint32(i)]
		if !slices.ContainsFunc(list, func(s span) bool { return len(texts[s.text].data) != s.to-s.from }) {
			w.workers[0].noteSpanned(i, id, list, texts)
			hash := id.String()
			for _, s := range list {
				if b := passed[s.text]; b != nil {
					b.Also = append(b.Also, scanner.Twin{Hash: hash, Offset: int64(s.from), Line: s.line})
				} else {
					passed[s.text] = &scanner.Blob{Hash: hash, Data: texts[s.text].data, Offset: int64(s.from), Line: s.line}
				}
			}
			continue
		}
		k.again[pack.TypeBlob][i] = true
		rest = append(rest, id)
	}
	errs := make([]error, len(w.workers))
	var wg sync.WaitGroup
	for n := range w.workers {
		wg.Go(func() {
			for j := n; j < len(passed) && errs[n] == nil && ctx.Err() == nil; j += len(w.workers) {
				if passed[j] != nil {
					errs[n] = w.fn(n, passed[j])
				}
			}
		})
	}
	wg.Wait()
	return rest, cmp.Or(append(errs, context.Cause(ctx))...)
}

// noteSpanned takes down that the spans of a blob are looked at.
func (w *historyWorker) noteSpanned(i int, id pack.OID, list []span, texts []knownText) {
	table := &w.walk.known.kinds[pack.TypeBlob]
	found := make([]foundSpan, len(list))
	for n, s := range list {
		found[n] = foundSpan{s, texts[s.text].sum}
	}
	looked := &w.looked[pack.TypeBlob]
	looked.add(table.at(i), flagTold)
	looked.sizes = append(looked.sizes, table.sizes[i])
	w.spans[id] = found
	w.blobs++
	w.bytes += table.sizes[i]
}
