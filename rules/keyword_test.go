package rules

import (
	"regexp/syntax"
	"strings"
	"testing"
)

func TestWithoutKeyword(t *testing.T) {
	tests := []struct {
		expr, keywords string
		shown          bool
	}{
		{`\bacme_[0-9a-f]{32}\b`, "acme_", true},
		{`\bACME_[0-9a-f]{32}\b`, "acme_", true},
		{`(?i)acme_[0-9a-f]{32}`, "acme_", true},
		{`(?i:a)cme_x`, "acme_", true},
		{`\bacme_[0-9a-f]{32}\b`, "bcme_", false},
		{`(?:acme|boss)_x`, "acme_ boss_", true},
		{`(?:acme|boss)_x`, "acme_", false},
		{`gh[pousr]_[0-9A-Za-z]{36}`, "ghp_ gho_ ghu_ ghs_ ghr_", true},
		{`gh[pousr]_[0-9A-Za-z]{36}`, "ghp_ gho_ ghu_ ghs_", false},
		{`sk_(?:live_[a-z]{24}|test_[0-9]{24})`, "sk_live_ sk_test_", true},
		{`sk_(?:live_[a-z]{24}|test_[0-9]{24}|[0-9]+)`, "sk_live_ sk_test_", false},
		{`ck_[01]{40}`, "ck_0 ck_1", true},
		{`ck_[01]{2,40}`, "ck_0 ck_1", true},
		{`ck_[01]+`, "ck_0 ck_1", true},
		{`ck_[01]{0,40}`, "ck_0 ck_1", false},
		{`ck_[012]{40}`, "ck_0 ck_1", false},
		{`(?:acme_)?key-[a-z]{8}`, "key-", true},
		{`(?:acme_)?key-[a-z]{8}`, "acme_", false},
		{`x(?:acme_)?y`, "xacme_ xyz", false},
		{`x(?:acme_|b*)y`, "acme_ xyz", false},
		{`a(?:cme)?_key`, "acme_k a_k", true},
		{`(?:acme_){2}`, "acme_acme_", true},
		{`(?:acme_)+x`, "acme_", true},
		{`(?:acme_)*x`, "acme_", false},
		{`\bA{18,24}[0-9a-z]{60,120}`, "aaaaaaaaaaaaaaaaaa", true},
		{`A{17,24}[0-9a-z]{60}`, "aaaaaaaaaaaaaaaaaa", false},
		{`x_A{3,}[0-9]`, "x_aaa", true},
		{`(?:acme_){0,3}x`, "acme_", false},
		{`[a-z]{32}\.acme\.com`, ".acme.com", true},
		{`[a-z]{32}.acme.com`, "acme.com", false},
		{`[a-z]{32}.acme.com`, "acme", true},
		{`(?P<id>acme-[0-9]+):(?P<secret>[a-z]{8})`, "acme-", true},
		{`-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END`, "private key-----", true},
		{`-----BEGIN (?:RSA |EC )?PRIVATE KEY-----`, "rsa ec_", false},
		{`[\x{10000}-\x{10ffff}]acme`, "acme", true},
	}
	for _, tt := range tests {
		re, err := syntax.Parse(tt.expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		keywords := strings.Fields(tt.keywords)
		if strings.HasPrefix(tt.keywords, "private key") {
			keywords = []string{tt.keywords}
		}
		if missing := withoutKeyword(re, keywords); (missing == "") != tt.shown {
			t.Errorf("%s with %q: shown is %v, want %v (%s)", tt.expr, keywords, missing == "", tt.shown, missing)
		}
	}
}

func TestWithoutKeywordIsBounded(t *testing.T) {
	for _, expr := range []string{
		strings.Repeat(`(?:ab+|cd*)`, 40),                         // 2^40 ways through
		strings.Repeat(`(?:acme|b+)`, 20) + `x`,                   // and all but one hold it
		strings.Repeat(`[a-z][a-z]`, 400),                         // many texts from every place
		strings.Repeat(`(?:acme|[a-z][a-z]|c+)`, 60) + `[a-p]{3}`, // both
	} {
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		s := &keywordSearch{keywords: []string{"acme"}}
		if s.missing(flatten(nil, re)) == "" {
			t.Errorf("%.20s…: shown, though a match without keyword exists", expr)
		}
		if s.steps > 2*maxSteps {
			t.Errorf("%.20s…: %d steps", expr, s.steps)
		}
	}
}
