package scanner

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/till-sh/till/rules"
)

func goroot(b *testing.B) string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skip("no go command:", err)
	}
	return strings.TrimSpace(string(out))
}

// scanFiles scans data in pieces of about the size of a source file.
func scanFiles(b *testing.B, e *Engine, data []byte) {
	const blob = 32 << 10
	for i := 0; i < len(data); i += blob {
		if _, err := e.Scan(&Blob{Data: data[i:min(len(data), i+blob)]}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScan is the whole engine with the whole catalogue over ordinary
// source text, one core: what the other benchmarks are parts of.
func BenchmarkScan(b *testing.B) {
	data := sourceText(b)
	e, err := New(Options{}, rules.Builtin())
	if err != nil {
		b.Fatal(err)
	}
	for name, o := range map[string]int{"decoding": 0, "plain": -1} {
		e.options.DecodeDepth = o
		if o == 0 {
			e.options.DecodeDepth = DefaultDecodeDepth
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				scanFiles(b, e, data)
			}
		})
	}
}

// BenchmarkNew is what every start of till pays before it looks at a byte: of the
// catalogue as it is, and where a configuration adds rules or chooses from them.
func BenchmarkNew(b *testing.B) {
	other := *rules.Builtin()
	for name, c := range map[string]*rules.Catalogue{"builtin": rules.Builtin(), "other": &other} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := New(Options{}, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// wellKnown are the kinds without a vendor, and vendors whose keys leak most, the best
// known first.
const wellKnown = `generic private-key database-url url-credentials jwt aws github gcp openai slack stripe anthropic gitlab sendgrid
	twilio npm azure telegram discord mailgun huggingface heroku digitalocean cloudflare datadog pypi docker square
	paypal shopify facebook twitter firebase mongodb mailchimp postmark newrelic sentry grafana hashicorp
	okta auth0 atlassian bitbucket circleci snyk dropbox box asana linear notion airtable figma mapbox
	algolia pagerduty databricks snowflake rubygems jenkins groq mistral cohere
	replicate perplexity xai deepseek elevenlabs langchain pinecone tencent yandex supabase vercel netlify
	planetscale doppler contentful hubspot intercom zendesk salesforce typeform segment mixpanel amplitude
	launchdarkly fastly linode vultr railway buildkite codecov dynatrace honeycomb splunk elastic`

// catalogueOf returns the first n kinds of the catalogue, those of wellKnown first.
func catalogueOf(n int) *rules.Catalogue {
	c := &rules.Catalogue{Version: "benchmark"}
	providers := map[string]*rules.Provider{}
	var order []string
	for i := range rules.Builtin().Providers {
		p := &rules.Builtin().Providers[i]
		providers[p.ID] = p
		order = append(order, p.ID)
	}
	for _, id := range append(strings.Fields(wellKnown), order...) {
		p := providers[id]
		if n <= 0 {
			break
		}
		if p == nil { // taken already
			continue
		}
		delete(providers, id)
		some := *p
		some.Rules = p.Rules[:min(len(p.Rules), n)]
		n -= len(some.Rules)
		c.Providers = append(c.Providers, some)
	}
	return c
}

// BenchmarkKinds shows what more kinds of credential cost: the same text (plain, not
// decoded) with 60, 400 and all of them.
func BenchmarkKinds(b *testing.B) {
	data := sourceText(b)[:16<<20]
	for _, n := range []int{60, 400, 1 << 20} {
		e, err := New(Options{DecodeDepth: -1}, catalogueOf(n))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strconv.Itoa(len(e.matchers)), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				scanFiles(b, e, data)
			}
			b.ReportMetric(float64(len(e.filter.keywords)), "keywords")
		})
	}
}
