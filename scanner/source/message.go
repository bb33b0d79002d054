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
		end := at + len(data[at:])
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		if isScissors(data[at:end], data[end:]) {
			data = data[:at]
			break
		}
		at = end
	}
	return &Message{name: name, data: data}
}

// isScissors reports whether a line is the one that git writes. What stands
// before the mark is core.commentChar, which the explanation in the next line
// begins with too; without that somebody else wrote the line, and git keeps
// what follows.
func isScissors(line, next []byte) bool {
	before, _, ok := bytes.Cut(line, scissors)
	return ok && len(before) >= 2 && len(before) <= maxCommentChar && before[len(before)-1] == ' ' &&
		bytes.HasPrefix(next, before[:len(before)-1])
}

// maxCommentChar bounds core.commentString, which is one character by default.
const maxCommentChar = 16

// Each implements [scanner.Source].
func (m *Message) Each(ctx context.Context, _ int, fn func(worker int, b *scanner.Blob) error) (scanner.Summary, error) {
	if err := ctx.Err(); err != nil {
		return scanner.Summary{}, err
	}
	sum := scanner.Summary{Files: 1, Bytes: int64(len(m.data))}
	return sum, fn(0, &scanner.Blob{Path: m.name, Where: scanner.InMessage, Data: m.data})
}

// Attribute implements [scanner.Source].
func (m *Message) Attribute(_ context.Context, findings []scanner.Finding, _ *scanner.Summary) ([][]scanner.Place, []scanner.Exposure, error) {
	places, exposures := ownPlaces(findings, scanner.ExposureStaged)
	return places, exposures, nil
}
