package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/till-sh/till/scanner/pack"
)

// memory collects during a scan what goes into its record. A nil memory
// collects nothing.
type memory struct {
	known     *known
	stamps    map[string]stamp
	looked    [5]idList
	spans     map[pack.OID][]foundSpan
	told      map[pack.OID]bool // trees with a name that is reported
	people    map[int32]int32   // those that are reported; to their numbers in the record
	connected bool
	sound     bool
	// placed is where what is reported stands, nil when that is not known.
	placed map[pack.OID][]placed
	// placedAsBefore says that this is nothing new.
	placedAsBefore bool
	gone           map[string]int32 // see locator
}

// recall reads the record, if there is one to be read.
func (h *History) recall(w *historyWalk) error {
	h.memory = nil
	if h.record == nil {
		return nil
	}
	h.memory = &memory{stamps: map[string]stamp{}, told: map[pack.OID]bool{}, people: map[int32]int32{}}
	w.collect = true
	rec, err := h.repo.loadRecord(h.record)
	if err == nil {
		w.known, err = h.openKnown(rec, w.store)
		if err != nil {
			return fmt.Errorf("list object store: %w", err)
		}
		h.memory.known, h.memory.stamps = w.known, w.known.stamps
		return nil
	}
	if !errors.Is(err, errNoRecord) {
		h.state = nil // what this scan tells is no Answer
		w.sum.Notes = append(w.sum.Notes, fmt.Sprintf("the record of earlier scans does not count: %v; everything was read", err))
	}
	packs, _ := w.store.Packs()
	for _, p := range packs {
		if s, err := stampOf(p); err == nil {
			h.memory.stamps[p.Path] = s
		}
	}
	return nil
}

// note takes down that an object was looked at.
func (w *historyWorker) note(o *pack.Object) {
	flags := byte(0)
	if w.told {
		flags = flagTold
	}
	var buf [32]byte
	l := &w.looked[o.Type]
	l.add(o.ID.AppendTo(buf[:0]), flags)
	if o.Type != pack.TypeBlob {
		return
	}
	l.sizes = append(l.sizes, o.Size)
	if len(w.parts) == 0 {
		return
	}
	list, at, line := make([]span, 0, len(w.parts)), 0, 0
	for _, p := range w.parts {
		line += bytes.Count(o.Data[at:p.From], []byte("\n"))
		at = p.From
		list = append(list, span{from: p.From, to: p.To, line: line})
	}
	w.spans[o.ID] = spansWith(o.Data, list)
}

func (m *memory) person(who int32, told bool) {
	if m != nil && told {
		m.people[who] = int32(len(m.people))
	}
}

func (m *memory) name(tree pack.OID, told bool) {
	if m != nil && told {
		m.told[tree] = true
	}
}

// finish ends the collection when everything was read.
func (m *memory) finish(h *History, w *historyWalk, all *historyWorker) {
	if m == nil {
		return
	}
	m.looked, m.spans = all.looked, all.spans
	m.sound = len(w.corrupt) == 0
	m.connected = m.sound && !all.broken && len(all.missing) == 0
	if !m.sound {
		m.stamps = map[string]stamp{} // they are to be verified the next time
	}
	if !h.cutOff() { // unless there is something to attribute
		m.placed = map[pack.OID][]placed{}
		m.placedAsBefore = m.known != nil && m.known.placed && len(m.known.places) == 0
	}
}

// Remember writes the record of the scan, after Each and Attribute. Without
// UseRecord, or when there is nothing new, it does nothing. An error
// means that the next scan will take longer, and nothing else.
func (h *History) Remember() error {
	m := h.memory
	if m == nil || h.graph == nil || !m.changed(h) {
		return nil
	}
	return h.repo.saveRecord(h.record, h.makeRecord())
}

// maxLeft is how many objects a record may lack: to read them again is less work
// than to write it anew. maxLeftBytes is the same for packs that it lacks.
const (
	maxLeft      = 1000
	maxLeftBytes = 16 << 20
)

// changed reports whether the record would be another one, by more than may be
// left to later scans.
func (m *memory) changed(h *History) bool {
	k := m.known
	if k == nil || k.fresh > maxLeft || k.gone || k.connected != m.connected || k.sound != m.sound || m.repacked() {
		return true
	}
	for t := range k.again {
		if slices.Contains(k.again[t], true) {
			return true
		}
	}
	if m.placed == nil && k.placed || m.placed != nil && !m.placedAsBefore {
		return true
	}
	if k.fresh > 0 {
		return false
	}
	if !bytes.Equal(h.graph.raw, k.graph.raw) {
		return true
	}
	for i, flags := range k.kinds[pack.TypeCommit].flags { // the commits are those of the record
		if (flags&flagReached != 0) != h.reached[i] || (flags&flagHead != 0) != h.inHead()[i] {
			return true
		}
	}
	return false
}

// repacked reports whether a pack of the record is gone or another one, or new
// packs are too large to be read each time.
func (m *memory) repacked() bool {
	then := m.known.record.stamps
	for path, s := range then {
		if m.stamps[path] != s {
			return true
		}
	}
	added := int64(0)
	for path, s := range m.stamps {
		if _, ok := then[path]; !ok {
			added += s.size
		}
	}
	return added > 0 && (m.known.fresh == 0 || added > maxLeftBytes)
}

// makeRecord puts the record together.
func (h *History) makeRecord() *record {
	m := h.memory
	rec := &record{connected: m.connected, sound: m.sound, stamps: m.stamps, people: len(m.people)}
	for t := pack.TypeCommit; t <= pack.TypeTag; t++ {
		l := &m.looked[t]
		if k := m.known; k != nil {
			for i, flags := range k.kinds[t].flags {
				if k.present[t][i] && !k.wants(t, i) {
					l.add(k.kinds[t].at(i), flags&flagTold)
					if t == pack.TypeBlob {
						l.sizes = append(l.sizes, k.kinds[t].sizes[i])
					}
				}
			}
		}
		l.sort(h.repo.Format)
		rec.kinds[t] = recordTable{idTable: newIDTable(l.ids, h.repo.Format), flags: l.flags, sizes: l.sizes}
	}
	for id := range m.told {
		if i := rec.kinds[pack.TypeTree].find(id.Bytes()); i >= 0 {
			rec.kinds[pack.TypeTree].flags[i] |= flagTold
		}
	}
	m.recordSpans(rec)
	h.recordCommits(rec)
	tags := &rec.kinds[pack.TypeTag]
	for i := range tags.len() {
		t := h.tags[tags.id(i)]
		t.person = m.number(t.person)
		rec.tags = append(rec.tags, t)
	}
	h.recordPlaces(rec)
	return rec
}

func (m *memory) recordSpans(rec *record) {
	rec.spans = make(map[uint32][]span, len(m.spans))
	number := map[[sha256.Size]byte]int{}
	for id, found := range m.spans {
		i := rec.kinds[pack.TypeBlob].find(id.Bytes())
		if i < 0 {
			continue
		}
		list := make([]span, len(found))
		for j, s := range found {
			n, ok := number[s.sum]
			if !ok {
				n = len(number)
				number[s.sum] = n
			}
			list[j] = s.span
			list[j].text = n
		}
		rec.spans[uint32(i)] = list
	}
	rec.texts = len(number)
}

// number is the number in the record of somebody whose line is reported.
func (m *memory) number(who int32) int32 {
	if n, ok := m.people[who]; ok {
		return n
	}
	return -1
}

func (h *History) recordCommits(rec *record) {
	table, g := &rec.kinds[pack.TypeCommit], h.graph
	var unread []commitNode // too large, and so they are not in the graph
	for i := range table.len() {
		c, ok := g.find(table.id(i))
		if !ok {
			unread = append(unread, commitNode{id: table.id(i), people: [2]int32{-1, -1}})
			continue
		}
		if h.reached[c] {
			table.flags[i] |= flagReached
		}
		if h.inHead()[c] {
			table.flags[i] |= flagHead
		}
	}
	if len(unread) > 0 {
		g = g.with(unread)
	}
	rec.graph = g.numbered(h.memory.number)
}

// recordPlaces keeps where the objects stand that are reported.
func (h *History) recordPlaces(rec *record) {
	if h.memory.placed == nil {
		return
	}
	rec.placed, rec.places = true, make(map[pack.OID][]recordPlace, len(h.memory.placed))
	for id, list := range h.memory.placed {
		out := make([]recordPlace, 0, len(list))
		for _, p := range list {
			if p.commit < 0 || !h.reached[p.commit] {
				continue
			}
			i := rec.kinds[pack.TypeCommit].find(h.graph.at(int(p.commit)))
			if i < 0 {
				rec.placed, rec.places = false, nil
				return
			}
			place := recordPlace{path: p.path, commit: uint32(i)}
			if c, ok := h.memory.gone[goneKey(id, p.path)]; ok {
				place.gone = uint32(rec.kinds[pack.TypeCommit].find(h.graph.at(int(c))) + 1)
			}
			out = append(out, place)
		}
		rec.places[id] = out
	}
}
