package source

import (
	"bytes"
	"context"

	"github.com/till-sh/till/scanner"
)

// Message is a commit message that is being written.
type Message struct {
	name string
	data []byte
}

// scissors is where git cuts off what commit --verbose shows
// (https://git-scm.com/docs/git-commit#Documentation/git-commit.txt---cleanupltmodegt).
var scissors = []byte("------------------------ >8 ------------------------")

// NewMessage returns a source for a commit message, shown in reports as name.
// What stands below git's scissors line is not part of the message and not
// looked at; comment lines are, because whether git drops them depends on
// --cleanup.
func NewMessage(name string, data []byte) *Message {
	for at := 0; at < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		// "# " with core.commentChar at its default; the mark itself is long
		// enough to be told whatever stands before it.
		if line := data[at:end]; bytes.Contains(line, scissors) && bytes.Index(line, scissors) <= 8 {
			data = data[:at]
			break
		}
		at = end
	}
	return &Message{name: name, data: data}
}

// Each implements [scanner.Source].
func (m *Message) Each(_ context.Context, _ int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	sum := scanner.Summary{Files: 1, Bytes: int64(len(m.data))}
	return sum, fn(0, &scanner.Blob{Path: m.name, Where: scanner.InMessage, Data: m.data})
}

// Attribute implements [scanner.Source].
func (m *Message) Attribute(_ context.Context, findings []scanner.Finding, _ *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places, exposures := ownPlaces(findings, scanner.ExposureStaged)
	return places, exposures, nil
}
