package place

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// HoldsSecrets tells files that exist to hold secrets: nothing of them belongs
// in a commit.
func HoldsSecrets(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, word := range []string{"example", "sample", "template", "dist"} {
		if strings.Contains(base, word) {
			return false
		}
	}
	switch base {
	case ".env", "credentials", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc", ".git-credentials", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519":
		return true
	}
	switch path.Ext(base) {
	case ".env", ".pem", ".key", ".p12", ".pfx", ".jks", ".keystore":
		return true
	}
	return strings.HasPrefix(base, ".env.")
}

// IgnoreLine is the line of the .gitignore at the top that names a file: any
// .env, and else this one file.
func IgnoreLine(name string) string {
	if name == ".env" {
		return name
	}
	return "/" + strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `).Replace(name)
}

// AddLines returns a text file with lines added at its end, those that it has
// not yet, with its own line breaks.
func AddLines(data []byte, lines []string) []byte {
	end := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		end = "\r\n"
	}
	have := strings.Split(strings.ReplaceAll(string(data), "\r", ""), "\n")
	out := bytes.Clone(data)
	for _, line := range lines {
		if slices.Contains(have, line) {
			continue
		}
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, end...)
		}
		out = append(out, line+end...)
	}
	return out
}
