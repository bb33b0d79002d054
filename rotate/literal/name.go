package literal

import (
	"slices"
	"strings"
)

// EnvName makes the name of an environment variable from the name beside the
// value ("apiKey"), the vendor ("stripe", "" = nobody's) and the kind of the
// rule ("stripe-live-secret-key"): STRIPE_API_KEY.
func EnvName(beside, vendor, rule string) string {
	name := upper(beside)
	vendor = upper(vendor)
	if name == "" {
		name = "API_KEY"
		for _, kind := range []string{"TOKEN", "PASSWORD", "SECRET", "WEBHOOK"} {
			if strings.HasSuffix("_"+upper(rule), "_"+kind) {
				name = kind
			}
		}
		if vendor == "" {
			name = "SECRET_" + strings.TrimPrefix(name, "SECRET")
			name = strings.Trim(name, "_")
		}
	}
	if vendor != "" && !strings.Contains(strings.ReplaceAll(name, "_", ""), strings.ReplaceAll(vendor, "_", "")) {
		name = vendor + "_" + name
	}
	if strings.IndexByte("0123456789", name[0]) >= 0 || slices.Contains(taken, name) || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "GIT_") {
		name = "APP_" + name
	}
	return name
}

// taken are names that mean something to the system or to shells.
var taken = []string{"PATH", "HOME", "USER", "SHELL", "PWD", "IFS", "ENV", "TERM", "LANG", "TMPDIR", "HOSTNAME", "LOGNAME", "EDITOR", "DISPLAY", "PS1", "MAIL", "RANDOM", "SECONDS", "UID"}

// upper writes a name in upper case with underscores: apiKey, api-key → API_KEY.
func upper(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
		case c >= 'A' && c <= 'Z':
			if i > 0 && (name[i-1] >= 'a' && name[i-1] <= 'z' || name[i-1] >= '0' && name[i-1] <= '9' ||
				name[i-1] >= 'A' && name[i-1] <= 'Z' && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z') {
				b.WriteByte('_')
			}
			b.WriteByte(c)
		case c >= '0' && c <= '9':
			b.WriteByte(c)
		default:
			b.WriteByte('_')
		}
	}
	name = strings.Trim(b.String(), "_")
	for strings.Contains(name, "__") {
		name = strings.ReplaceAll(name, "__", "_")
	}
	return name
}
