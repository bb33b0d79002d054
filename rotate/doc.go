// Package rotate takes a leaked key from "found" to "proven dead", and keeps
// the record.
//
// # The way of a case
//
// A case is one leaked key. It goes through
//
//	found → assessed → reissued → replaced → revoked → confirmed
//
// in this order when the key is private and in use (the new key is in its place
// before the old one goes), and with revoked directly after assessed when the
// key is public. Session.Run walks that way; each step can be repeated, goes on
// where it stopped, and where the vendor can is taken back.
//
// Two things are never taken for granted. An answer is active, inactive or
// unknown, and unknown kills nothing. And a revocation that was accepted is no
// death: the key is asked about until the vendor says inactive, or a person who
// saw it dead says so.
//
// # A password is known by its place
//
// The fingerprint of a value that a person may have chosen is that of its place,
// since from one of the value it could be guessed. So a case can meet another
// value than the one that it was closed for, and several can have stood at one
// place. What holds (values.go):
//
//   - A closed case is closed for the values that were proven dead or vouched for.
//     Whoever runs it again has every value of the place asked about; what is not
//     proven dead opens it.
//   - Where nobody can be asked, the record is compared: it holds a MAC of each
//     value under a key that never leaves the person's own folder (Session.Tag),
//     which tells nothing to whoever has the record alone. Made under another
//     person's key, or missing, it proves nothing, and the case opens.
//   - A case is closed when all values of its place are dead, those that stand
//     nowhere any more included.
//   - The new key that a case has put to the place is no leak while it stands in no commit.
//
// # When the process is killed
//
// Whatever it was doing, the record is whole up to its last line; the case may
// have a step that is begun and not done, a stored key that no line tells of, or a
// line that tells of a stored key which is gone. The next session
//
//   - goes on with the value that the case is about, and with the stored key;
//   - asks whether a stored key works already where the call that sets it may not
//     have come through, and sends it again if not;
//   - sees a new key that stands in its place already, and notes it;
//   - removes the stored key of a case that is closed and whose new key is in its
//     place, and gives up one that has itself become the value to be ended.
//
// A case is closed by one line, so none is half closed.
//
// # Who does what
//
//	Leak      the key as it stands in the repository; the value comes from there and goes nowhere
//	Job       the key, the {{names}} of its requests, the ways to the outside: what adapters work on
//	Session   one walk through a case: asks, does, writes down
//	Ledger    the record: JSON lines, chained by hashes, on the disk before the next step; never a value
//	Store     where a new key waits (0600, below the git directory) until it is in its place
//	Person    who is asked; nil answers no questions, so nothing changes without --yes
//
// The catalogue (package rules) holds the requests and commands of most vendors
// as data; Job carries them out (verify.go, step.go, lookup.go). What data cannot
// say is an adapter, a Go type behind one of the small interfaces of adapter.go:
//
//	Verifier  is it active?          rotate/vendor, rotate/server
//	Issuer    make a new key         rotate/vendor, rotate/server
//	Revoker   end the old one        rotate/vendor, rotate/server
//	Undoer    take that back         rotate/vendor, rotate/server
//	Placer    put the new key there  rotate/place
//
// An adapter of the first four is called by the name that TOML files give it
// (func = "aws-sts"); the registries are vendor.Funcs, server.Funcs and
// place.All, sorted and explicit. Adapters get everything from the Job: the HTTP
// client with its guard rails (j.HTTP), programs (j.Run), names (j.Value), the
// clock (j.Now, j.Sleep). They import no net/http client and start no process.
//
// # What must hold
//
//   - The exact key or none: a lookup with two hits is ErrAmbiguous, and nothing was done.
//   - The new key is kept (Job.Keep) before anything ends the old one.
//   - Intent is in the ledger before a call that must not be repeated, its result after it.
//   - No value in a command line, an environment, an error, a log or the ledger. What comes
//     from the outside goes through Job.Redact.
//   - Nothing from a scanned file chooses a host (package call).
//   - Nothing below the git directory is believed because it is there (seal.go): ledger
//     and stored keys carry a MAC under a key that lies with the person's own files, no
//     link there is followed, and a remote that only the repository names gets a new key
//     from no --yes. A ledger that the owner names (--ledger) is believed as it is.
//
// Types here belong to one goroutine unless they say otherwise.
package rotate
