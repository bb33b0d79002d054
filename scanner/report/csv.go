package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/till-sh/till/scanner"
)

// csvHeader names the columns. New ones go to the end.
var csvHeader = []string{"id", "fingerprint", "class", "severity", "rule", "provider", "description", "masked", "exposure",
	"path", "where", "start_line", "start_column", "end_line", "end_column", "present",
	"commit", "author", "email", "time", "account", "revoke", "reissue"}

// writeCSV writes one row for each place of each key (RFC 4180, CR LF).
func writeCSV(w io.Writer, r *scanner.Result, o Options) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if err := c.Write(csvHeader); err != nil {
		return err
	}
	for i := range r.Keys {
		k := &r.Keys[i]
		rule := ruleOf(k)
		var revoke, reissue string
		for _, s := range stages(k) {
			if s.name == "revoke" {
				revoke = stepLine(k, &s.steps[0])
			} else {
				reissue = stepLine(k, &s.steps[0])
			}
		}
		for j := range k.Places {
			p := &k.Places[j]
			where := p.Where
			if where == "" {
				where = scanner.InContent
			}
			hash, author, email, when := "", "", "", ""
			if p.Commit != nil {
				hash, author, email = p.Commit.Hash, p.Commit.Author, p.Commit.Email
				if !p.Commit.Time.IsZero() {
					when = p.Commit.Time.Format(time.RFC3339)
				}
			}
			l := p.Location
			row := []string{k.ID, k.Fingerprint, string(class(k)), string(rule.Severity), rule.ID, rule.Provider, rule.Description,
				k.Secret.String(), exposureOf(k), p.Path, string(where), number(l.StartLine), number(l.StartColumn),
				number(l.EndLine), number(l.EndColumn), strconv.FormatBool(p.Present), hash, author, email, when,
				k.Facts.Account, revoke, reissue}
			for n := range row {
				row[n] = cell(strings.ReplaceAll(row[n], "\t", " "))
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// number is n in digits, empty for zero: a place without a line has none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
