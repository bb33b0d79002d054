package scanner_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestRandomTextHoldsNoKeys scans random text in the alphabets of base 64, hex
// and source code: fewer than one finding of class key in 100 MB. It reads 16 MB of
// each, or as many as TILL_RANDOM_MB says.
func TestRandomTextHoldsNoKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	megabytes := 16
	if s := os.Getenv("TILL_RANDOM_MB"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("TILL_RANDOM_MB: %q is no number of megabytes", s)
		}
		megabytes = n
	}
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, alphabet string }{
		{"base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"},
		{"base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"},
		{"hex", "0123456789abcdef"},
		{"source", "etaoinshrdlucmfwypvbgkjqxz     \n\t(){}[];:.,=\"'_-<>/*+0123456789ETAOINSHRDLU"},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(len(c.alphabet))))
			keys := map[string]int{}
			total := 0
			block := make([]byte, 1<<20)
			for range megabytes {
				for i := range block {
					block[i] = c.alphabet[random.IntN(len(c.alphabet))]
					if i%77 == 76 && c.name != "source" {
						block[i] = '\n'
					}
				}
				found, err := engine.Scan(&scanner.Blob{Path: "random.txt", Data: block})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found.Findings {
					if f.Class == rules.ClassKey {
						keys[f.Rule.ID]++
						total++
					}
				}
			}
			if total*100 >= max(megabytes, 101) { // one is chance in less text than that
				t.Errorf("%d keys in %d MB: %s", total, megabytes, fmt.Sprint(keys))
			}
		})
	}
}
