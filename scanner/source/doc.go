// Package source is where bytes come from: the staged index, the history of a
// repository, a range of commits, a push, files and folders, a stream. Each of
// them is a [scanner.Source].
//
// # Objects, not diff text
//
// No git process is run and no diff is parsed. The index, the refs, the logs of
// the refs and the configuration are read by this package, objects by package
// pack. So nothing that a repository's configuration names is ever started
// (hooks, fsmonitor, textconv, filters, a promisor's upload-pack), no attribute
// and no setting changes what is looked at, and nothing is fetched. Replace
// refs and grafts are ignored: what a push would send is what is read.
//
// # Fail closed
//
// What should have been read and could not be is named in
// [scanner.Summary.Errors], and the rest is read all the same. A history counts
// as read only when everything that a ref reaches was there, which in a shallow
// or partial clone it is not. An error result means that there was nothing to
// read from: no repository, a format that is not understood, a revision that
// does not exist.
//
// # Windows
//
// Content of up to 32 MiB is passed on whole. Larger content comes in windows
// of 8 MiB that overlap by 64 KiB, so that a value on a border stands whole in
// one of them; a value in an overlap is seen twice, at the same offset.
package source
