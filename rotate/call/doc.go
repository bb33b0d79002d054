// Package call makes the requests of till to vendors, and holds all that is
// dangerous about it in one place. It is the only package that links net/http.
//
// What it promises:
//
//   - https with verified certificates, except to a server that the owner has
//     configured with http in so many words;
//   - only hosts that the catalogue, a named Go function or the owner names.
//     A value that came from a scanned file can fill a label below a vendor's
//     domain, never choose the domain;
//   - no address that is private, loopback, link-local or otherwise not on the
//     internet, as resolved at the moment of dialling, except for a host that
//     the owner has configured;
//   - no redirect is followed: a 3xx is an answer like any other;
//   - limits for time and size; HTTPS_PROXY and its like are honoured;
//   - a request is repeated only when the vendor's answer to a second one would
//     be the same (GET, HEAD), and only for 429, 502, 503, 504 and a broken
//     connection;
//   - no error and no description holds a secret: see Redactor.
package call
