package scanner_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
	"github.com/till-sh/till/scanner/source"
)

// made is a key that nobody has: put together here so that no scanner sees one
// in this file.
var made = "sk_live_" + "q8Zt3vLk" + "0PwRx7Jm" + "Yb2N5cDh"

// Look at a piece of text with the built-in rules.
func ExampleEngine_Scan() {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	text := "import stripe\nstripe.api_key = \"" + made + "\"\n"
	found, err := engine.Scan(&scanner.Blob{Path: "billing.py", Data: []byte(text)})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range found.Findings {
		fmt.Printf("%s:%d:%d: %s %s\n", f.Path, f.Location.StartLine, f.Location.StartColumn, f.Rule.ID, f.Secret)
	}
	// Output:
	// billing.py:2:19: stripe-live-secret-key sk_live_…5cDh
}

// Scan a source and get keys: one for each value, with all its places.
func ExampleRun() {
	engine, err := scanner.New(scanner.Options{}, rules.Builtin())
	if err != nil {
		log.Fatal(err)
	}
	text := strings.Repeat("key = "+made+"\n", 3)
	result, err := scanner.Run(context.Background(), engine, source.NewReader("stdin", strings.NewReader(text)), scanner.RunOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range result.Keys {
		fmt.Printf("%s in %d places; complete: %v\n", k.Rule.Description, len(k.Places), result.Summary.Complete())
	}
	// Output:
	// Stripe live secret key in 3 places; complete: true
}
