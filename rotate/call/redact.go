package call

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/till-sh/till/scanner"
)

// A Redactor masks values in text. All that is learnt on the way (answers,
// errors, output of programs) goes through it before anybody sees it. The zero
// value masks nothing. Safe for concurrent use.
type Redactor struct {
	mu    sync.RWMutex
	pairs []string // value, mask, …: the longest values first
}

// Add makes value and its usual encodings masked from now on. Values of less
// than four bytes are left alone: they stand in any text by chance.
func (r *Redactor) Add(value string) {
	if len(value) < 4 {
		return
	}
	forms := []string{value, url.QueryEscape(value), url.PathEscape(value)}
	if quoted, err := json.Marshal(value); err == nil {
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	if lines := strings.Fields(value); len(lines) > 1 { // a PEM block, as one line of a log
		forms = append(forms, strings.Join(lines, " "), strings.Join(lines, `\n`))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range forms {
		if !r.has(f) {
			r.pairs = append(r.pairs, f, scanner.Mask(value))
		}
	}
	// strings.Replacer tries its arguments in order: the longer first, so that a
	// value which holds another one is masked as a whole.
	type pair struct{ value, mask string }
	var all []pair
	for i := 0; i < len(r.pairs); i += 2 {
		all = append(all, pair{r.pairs[i], r.pairs[i+1]})
	}
	slices.SortStableFunc(all, func(a, b pair) int { return len(b.value) - len(a.value) })
	r.pairs = r.pairs[:0]
	for _, p := range all {
		r.pairs = append(r.pairs, p.value, p.mask)
	}
}

func (r *Redactor) has(value string) bool {
	for i := 0; i < len(r.pairs); i += 2 {
		if r.pairs[i] == value {
			return true
		}
	}
	return false
}

// Text masks all known values in s.
func (r *Redactor) Text(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.pairs) == 0 {
		return s
	}
	return strings.NewReplacer(r.pairs...).Replace(s)
}

// Error returns an error with the masked text of err; nil for nil. errors.Is
// still sees err, whose own text must not be printed.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	text := r.Text(err.Error())
	if text == err.Error() {
		return err
	}
	return &masked{text, err}
}

type masked struct {
	text string
	err  error
}

func (m *masked) Error() string        { return m.text }
func (m *masked) Is(target error) bool { return errors.Is(m.err, target) }
