// Package pack reads a git object store: packs, their indexes, multi-pack
// indexes, loose objects and alternates.
//
// It only reads. It runs no process, opens no connection, takes no lock, reads
// no configuration and writes nothing; what it has to know about a repository
// (the hash, further object directories) it is told in [Options]. It knows
// nothing of refs, the index or the work tree either: it goes from an object id
// to bytes, and no further.
//
// There are two ways in. [Store.Get] and its relatives fetch single objects.
// [Store.Walk] reads every object once, and much faster than asking for one
// after the other, because it goes through each pack in the order in which the
// deltas hang together: an object is inflated, handed to the caller, and its
// bytes are then the base of the deltas made against it. The caller sees these
// deltas too ([Object.Base], [Object.Ops]) and can leave alone what an object
// has merely copied.
//
// Some files that git writes into a store are not read, because they would save
// nothing here: reverse indexes (.rev; sorting the offsets of 600,000 objects
// takes less time than reading their headers), bitmaps, commit-graph files (they
// lack what else stands in a commit), and the layers of an incremental
// multi-pack-index, since every pack has an index of its own or is read without.
//
// # Damage and malice
//
// A store may be truncated, bit-rotten, or made by somebody who wishes the
// reader ill. Whatever is in it, the package does not panic, and no length that
// a file claims is believed before memory is asked for: it is first held
// against the number of bytes that could produce it. Chains of deltas that
// form a circle are found. Nothing that cannot be read is passed over in
// silence: it is returned, or passed to [WalkOptions.OnError], as a
// [*CorruptError].
//
// Get and Stream hash what they return and compare it with the id that was
// asked for. Walk does so for loose objects; for packed ones it compares the
// CRC-32 that git recorded in the index when it hashed the object, having
// first verified the checksum of that index: to hash everything would make the
// walk take two and a half times as long (measured, SHA-1 in hardware). Where
// there is no such CRC (index version 1, multi-pack index, damaged index) it
// hashes. That finds any accident. It does not find an index that was forged
// with care, so that an object stands in it under an id that is not its own;
// [WalkOptions.Verify] does, for the price of hashing everything. What Walk
// passes on is in either case what git itself would read.
//
// # Bombs
//
// A few bytes of delta can stand for a large object, and a small pack for
// terabytes of content. Memory stays within the bounds stated for Walk and
// Get, but the time is the time it takes to make the content: give Walk a
// context with a deadline if the store cannot be trusted.
package pack
