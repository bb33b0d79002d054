package scanner

import (
	"bytes"
	"net/url"
	"regexp"
	"sync"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/rules/checksum"
)

// placeholders match what documentation, tests and templates write in place of
// a password that a person chose: placeholderWords, and placeholderForms of
// programs that fill something in.
var placeholders = sync.OnceValue(func() []*regexp.Regexp {
	return append(placeholderWords(), placeholderForms()...)
})

// placeholderWords: the word itself, the name of a user, a program's default.
var placeholderWords = sync.OnceValue(func() []*regexp.Regexp {
	return compileAll(
		`(?i)^(?:my|your|the|a|some|any|new|old|client|example|other|oauth|db|database|pg|mysql|redis|mongo|user|admin|root|app|test|super|top|http|basic|proxy|auth)?[-_.]?(?:pass(?:word|wd|phrase|w0rd|word1)?|pwd|pw|secret|token|key|api[-_]?key|access[-_]?token|credentials?|cred|auth)s?[-_.]?(?:here|goes[-_]here)?$`,
		`(?i)^(?:user(?:name)?|login|name|foo|bar|baz|qux|abc|xyz|test(?:ing|er)?|guest|demo|none|null|nil|empty|undefined|true|false|change[-_]?(?:me|it|this)|default|hidden|removed|masked|filtered|private|blah|string|value|host(?:name)?|port|db|database|scheme|oauth2?|git|anonymous|x-oauth-(?:basic|token))$`,
		`(?i)^(?:postgres(?:ql)?|mysql|mariadb|mongo(?:db)?|redis|rabbit(?:mq)?|root|admin|administrator|neo4j|elastic|sa|minio(?:admin)?|airflow|app|dev|docker|local(?:host)?|vagrant|homestead|laravel|django|rails|symfony|sail|keycloak|grafana|kong|hasura|prisma|supabase)$`,
		`^(?:[a-z]+_)+(?:key|secret|token)$`,
		`^(?:[a-z]+[-_])*(?:password|passwd|pass|secret)(?:[-_](?:[a-z]+|[0-9]))*$`,
		`^tiger$`, // scott's, in every text on Oracle since 1977
	)
})

// placeholderForms: crosses, numbers, variables.
var placeholderForms = sync.OnceValue(func() []*regexp.Regexp {
	return compileAll(
		`^(?:[xX*._#-]+|[0-9]{1,3}|.)$`,
		`^(?:[A-Z][A-Z0-9]*_)+[A-Z0-9]+$`,
		`^(?:%[0-9A-Za-z(].*[)sdv]|\{.*\}?|\[.*\]?|\(.*\)?|&?lt.*)$`,
	)
})

func compileAll(exprs ...string) []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(exprs))
	for i, expr := range exprs {
		all[i] = regexp.MustCompile(expr)
	}
	return all
}

func isPlaceholder(v []byte) bool { return matchesAny(placeholders(), v) }

func matchesAny(all []*regexp.Regexp, v []byte) bool {
	for _, re := range all {
		if re.Match(v) {
			return true
		}
	}
	return false
}

// passwordOf returns the part of a value that a person chose.
func passwordOf(rule *rules.Rule, value []byte) []byte {
	if rule.Checksum == "basic-auth" {
		if _, password, ok := checksum.BasicAuth(string(value)); ok {
			return []byte(password)
		}
	}
	return value
}

// readsLikeExample reports whether a password, at data[start:end], is one that
// people write where it does not matter: words in lower case, or one that says
// test or password itself. A host on the network behind it, as in a URL, says
// that it does matter.
func readsLikeExample(password, data []byte, end int) bool {
	if plain, err := url.PathUnescape(string(password)); err == nil {
		password = []byte(plain)
	}
	if bitsOf(password) >= 12 {
		return false
	}
	lower := bytes.ToLower(password)
	if !bytes.Equal(lower, password) && !hasExampleWord(lower) {
		return false
	}
	return end >= len(data) || data[end] != '@' || isLocalHost(data[end+1:])
}

// isUserAgain reports whether a password at data[start:end] of a URL is the name of its
// user, at a host that is known within a private network only: what images of
// databases are started with, postgres://acme:acme@db/acme.
func isUserAgain(password, data []byte, start, end int) bool {
	from := start - 1 - len(password)
	return from > 0 && data[start-1] == ':' && data[from-1] == '/' && bytes.Equal(data[from:start-1], password) &&
		end < len(data) && data[end] == '@' && isLocalHost(data[end+1:])
}

func hasExampleWord(lower []byte) bool {
	for _, w := range []string{"pass", "secret", "test", "user", "demo"} {
		if bytes.Contains(lower, []byte(w)) {
			return true
		}
	}
	return false
}

// exampleHosts are names below a top-level domain that say no more than that a host is meant.
var exampleHosts = []string{"host", "hostname", "myhost", "yourhost", "your-host", "domain", "mydomain", "yourdomain", "your-domain", "server", "myserver", "foo", "bar", "acme"}

// maxHost is the most bytes a host's name has (RFC 1035).
const maxHost = 255

// isLocalHost reports whether the text begins with a host that only a private
// network or documentation knows: one without a dot, localhost, a loopback
// address, the names that RFC 2606 and RFC 6761 set aside.
func isLocalHost(text []byte) bool {
	n := 0
	for n < len(text) && n < maxHost && (isWord(text[n]) || text[n] == '.' || text[n] == '-') {
		n++
	}
	host := bytes.ToLower(text[:n])
	if dot := bytes.LastIndexByte(host, '.'); dot >= 0 {
		switch string(host[dot+1:]) {
		case "local", "localhost", "test", "example", "invalid", "internal", "localdomain":
			return true
		}
		if containsFold(exampleHosts, host[:dot]) || bytes.HasPrefix(host, []byte("hostname.")) {
			return true
		}
		return bytes.HasPrefix(host, []byte("127.")) || string(host) == "0.0.0.0" || bytes.HasSuffix(host[:dot], []byte("example"))
	}
	return true
}
