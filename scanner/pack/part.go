package pack

import "encoding/binary"

// What it costs to inflate an object and look at it, in units of what a packed
// byte costs: something for the object, and something for each byte of content. A
// commit, tree or tag costs half of a blob without its content. (Measured with
// the history of git; it has to be right only so far as the parts shall take
// about the same time.)
const (
	objectCost  = 256
	contentCost = 8 // bytes of content for one packed byte
	otherShare  = 2
)

// has reports whether an object that is in no tree of deltas, or in none that
// can be read, belongs to the part.
func (p Part) has(id OID) bool {
	return p.Count <= 1 || int(binary.BigEndian.Uint32(id.b[4:])%uint32(p.Count)) == p.Index
}

// types returns the types of loose objects that belong to the part.
func (p Part) types(id OID) typeSet {
	const blob = typeSet(1 << TypeBlob)
	switch own := p.has(id); {
	case p.Count <= 1 || p.Index == 0 && own:
		return allTypes
	case p.Index == 0:
		return allTypes &^ blob
	case own:
		return blob
	}
	return 0
}

// share returns those roots of pl that belong to a part. All trees are laid in a
// line, the ones that are no blobs first, by what they cost; the line is cut into
// pieces of one length. order lists bases before their deltas.
func (pl *plan) share(part Part, order, parent []uint32) []uint32 {
	cost, count := make([]int64, len(parent)), make([]int64, len(parent))
	var blobs, others int64
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		count[i]++
		cost[i] += pl.next(i) - pl.off[i] + objectCost
		switch b := parent[i]; {
		case b < outside:
			cost[b] += cost[i]
			count[b] += count[i]
		case pl.isOther(i):
			others += cost[i] / otherShare
		default:
			if e, err := pl.p.entryAt(pl.f, pl.off[i]); err == nil { // the versions of a file are of about one size
				cost[i] += count[i] * min(e.size, pl.f.size*maxRatio/count[i]) / contentCost
			}
			blobs += cost[i]
		}
	}
	all, at := others+blobs, others
	var roots []uint32
	next := 0 // of pl.roots, which are in the order of order
	for _, i := range order {
		if parent[i] < outside {
			break // the roots come first
		}
		of := 0
		if !pl.isOther(i) {
			of = int((float64(at) + float64(cost[i])/2) / float64(all) * float64(part.Count))
			at += cost[i]
		}
		if next < len(pl.roots) && pl.roots[next] == i {
			next++
			if min(of, part.Count-1) == part.Index {
				roots = append(roots, i)
			}
		}
	}
	return roots
}

// isOther reports whether a node is known to be no blob.
func (pl *plan) isOther(i uint32) bool { return pl.kind[i] != 0 && Type(pl.kind[i]) != TypeBlob }
