package scanner

// inBlob reports whether data[start:end] lies within a longer run of base 64:
// of an image, a certificate, a hash list. Some keys' prefixes are so short
// that any megabyte of such text holds one behind a slash, a plus or the end of
// a line. A list of keys, one a line, is no such run: its lines are shorter.
func (s *scratch) inBlob(data []byte, start, end int) bool {
	s.trail.saw(start-blobReach-1, end+blobReach+1)
	before, after := start, end
	for before > 0 && start-before < blobReach && isBlob(data[before-1]) {
		before--
	}
	for after < len(data) && after-end < blobReach && isBlob(data[after]) {
		after++
	}
	return randomRun(data[before:start], blobRun) || randomRun(data[end:after], blobRun) ||
		start > 0 && data[start-1] == '\n' && blobLineBefore(data, start-1) || end < len(data) && data[end] == '\n' && blobLineAfter(data, end+1)
}

const (
	blobReach = 76 // a line of MIME, the longest usual one
	blobRun   = 24 // in the same line: no path or name is that long and random
	blobLine  = 60 // of a neighbouring line
)

// blobLineBefore looks at the line that ends before data[end].
func blobLineBefore(data []byte, end int) bool {
	if end > 0 && data[end-1] == '\r' {
		end--
	}
	from := end
	for from > 0 && end-from < blobLine && isBlob(data[from-1]) {
		from--
	}
	return randomRun(data[from:end], blobLine)
}

// blobLineAfter looks at the line that begins at data[from].
func blobLineAfter(data []byte, from int) bool {
	to := from
	for to < len(data) && to-from < blobLine && isBlob(data[to]) {
		to++
	}
	return randomRun(data[from:to], blobLine)
}

func randomRun(run []byte, shortest int) bool { return len(run) >= shortest && bitsOf(run) >= 40 }

func isBlob(c byte) bool { return isWord(c) || c == '+' || c == '/' || c == '-' }
