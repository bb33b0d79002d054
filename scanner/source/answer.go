package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// Answer returns what Keep kept when the repository was as it is now, by all
// names and files of the object store; nil when there is nothing, or anything is
// in doubt. It must come after UseRecord and before Each.
func (h *History) Answer() []byte {
	if h.record == nil || h.opt.Whole || h.opt.Shard.Count > 1 {
		return nil
	}
	h.ahead = h.repo.readRefs()
	if h.state = h.digest(h.ahead); h.state == nil {
		return nil
	}
	data, err := h.repo.readRecord(h.record.fileName(answerPrefix))
	if err != nil || len(data) < 2*sha256.Size {
		return nil
	}
	body, mac := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if !hmac.Equal(h.record.mac(h.repo, "answer 1", body), mac) || !hmac.Equal(body[:sha256.Size], h.state) {
		return nil
	}
	return body[sha256.Size:]
}

// Keep keeps the outcome of a complete scan for Answer; it is written as it is and
// must hold no value. What is told of a repository that was damaged, or that
// changed during the scan, is not kept.
func (h *History) Keep(data []byte) error {
	m := h.memory
	if m == nil || !m.sound || !m.connected || h.state == nil || !slices.Equal(h.state, h.digest(h.repo.readRefs())) {
		return nil
	}
	body := append(slices.Clone(h.state), data...)
	return h.repo.writeRecord(h.record.fileName(answerPrefix), append(body, h.record.mac(h.repo, "answer 1", body)...))
}

const answerPrefix = "answer-"

// digest is one of all that decides what a scan of the history says: the
// names of objects, the packs as files, which loose objects there are, and the
// configuration. nil means that something about them is odd.
//
// What rots in a pack that keeps its size and time, or in a loose object, is not
// seen.
func (h *History) digest(refs *refs) []byte {
	r := h.repo
	store, err := r.Store()
	if err != nil {
		return nil
	}
	shallow, err := r.readShallow()
	if err != nil || len(refs.problems) > 0 {
		return nil
	}
	sum := hmac.New(sha256.New, h.record.Key) // a URL of the configuration may hold a password
	fmt.Fprintf(sum, "%t\x00%d\x00%s\x00", h.opt.Unreachable, r.Format, refs.head)
	for _, t := range refs.tips {
		fmt.Fprintf(sum, "%d %s %q\n", t.kind, t.oid, t.name)
	}
	for _, v := range r.config.values {
		fmt.Fprintf(sum, "%q %q %q %q %t\n", v.section, v.subsection, v.key, v.value, v.bare)
	}
	for _, id := range shallow {
		fmt.Fprintf(sum, "shallow %s\n", id)
	}
	packs, sound := store.Packs()
	if !sound {
		return nil
	}
	for _, p := range packs {
		s, err := stampOf(p)
		if err != nil {
			return nil
		}
		fmt.Fprintf(sum, "%q %d %d %d %d\n", p.Path, s.size, s.mtime, s.indexSize, s.indexTime)
	}
	var loose []pack.OID
	if err := store.Loose(func(id pack.OID) { loose = append(loose, id) }); err != nil {
		return nil
	}
	slices.SortFunc(loose, pack.OID.Compare)
	var buf []byte
	for _, id := range slices.Compact(loose) {
		buf = id.AppendTo(buf[:0])
		sum.Write(buf)
	}
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(loose))))
	return sum.Sum(nil)
}
