package rotate

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rotate/internal/lazy"
	"github.com/till-sh/till/rules"
)

// A host stands mostly beside the key that it belongs to: in the same line, in
// the same file, as the remote of the repository. All of that comes from the
// repository, which may be anybody's, so it is a proposal: a person sees where
// it stands and accepts it before the first request.

// Beside is a host that stands beside a key.
type Beside struct {
	Host  string // "git.example.org", "http://localhost:4873"
	Where string // "in .npmrc", "as the remote"
}

var (
	address = lazy.Regexp(`(?i)(?:(https?:)|^|[^:/\w])//(?:[^\s/"'@]*@)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)(?:[/"'\s,;)>]|$)`)
	setting = lazy.Regexp(`(?i)(?:url|uri|host|addr|address|registry|server|endpoint|base|instance|domain)[\w-]*["']?\s*[:=]`)
)

// besideFile bounds the file that is looked into; what is larger is no
// configuration.
const besideFile = 1 << 20

// forges are the providers whose server is the one that the repository comes
// from, more often than not.
var forges = []string{"gitea", "gitlab", "bitbucket"}

// everybodys are the servers of vendors, which know nothing of another vendor's
// keys.
var everybodys = []string{"github.com", "gitlab.com", "bitbucket.org"}

// ownGitHub is the GitHub server of a company that the place of the key, or else
// the remote, names: its tokens look like those of github.com, which refuses them.
func (j *Job) ownGitHub() string {
	theirs := func(h string) bool {
		h = strings.ToLower(h)
		return strings.Contains(h, "github") && h != "github.com" && !strings.HasSuffix(h, ".github.com") &&
			!strings.HasSuffix(h, ".githubusercontent.com") && !strings.HasSuffix(h, ".github.io") || strings.HasSuffix(h, ".ghe.com")
	}
	var hosts []string
	for _, p := range j.Leak.Places {
		for _, x := range p.Excerpt {
			hosts = append(hosts, j.hostsIn(x.Text)...)
		}
		hosts = append(hosts, j.hostsOfFile(p.Path)...)
	}
	if i := slices.IndexFunc(hosts, theirs); i >= 0 {
		return hosts[i]
	}
	if h := remoteHost(j.Remote); h != "" && !slices.Contains(everybodys, h) && !strings.HasSuffix(h, ".github.com") {
		return h
	}
	return ""
}

// HostBeside finds the host that stands beside the leaked key; nil when there is
// none, or when several stand there and none is nearer.
func (j *Job) HostBeside() *Beside {
	for _, p := range slices.Backward(j.Leak.Places) {
		for _, x := range p.Excerpt {
			if h := j.hostsIn(x.Text); len(h) == 1 {
				return &Beside{h[0], "in the line of the key"}
			}
		}
	}
	for _, p := range slices.Backward(j.Leak.Places) {
		if h := j.hostsOfFile(p.Path); len(h) == 1 {
			return &Beside{h[0], "in " + p.Path}
		}
	}
	if slices.Contains(forges, j.Leak.Rule.Provider) {
		h := remoteHost(j.Remote)
		if h != "" && (!slices.Contains(everybodys, h) || strings.HasPrefix(h, j.Leak.Rule.Provider+".")) {
			return &Beside{h, "as the remote of this repository"}
		}
	}
	return nil
}

// hostsIn are the hosts of the addresses in a line, without the vendor's own
// documentation. A name that ends where the line does may be cut, if that is long.
func (j *Job) hostsIn(line string) []string {
	var out []string
	for _, m := range address().FindAllStringSubmatchIndex(line, -1) {
		if m[5] == len(line) && len(line) > 100 {
			continue
		}
		host := line[m[4]:m[5]]
		name, _, _ := strings.Cut(host, ":")
		plain := m[2] >= 0 && strings.EqualFold(line[m[2]:m[3]], "http:") || m[2] < 0 && (name == "localhost" || strings.HasPrefix(name, "127."))
		if plain {
			host = "http://" + host
		}
		documents := slices.ContainsFunc(j.Leak.Rule.Docs, func(page string) bool {
			u, err := url.Parse(page)
			return err == nil && strings.EqualFold(u.Hostname(), name)
		})
		if _, _, err := call.Host(host); err == nil && !documents && (strings.Contains(name, ".") || plain) && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// hostsOfFile are those of the settings in a file of the work tree, those that
// name the vendor before all others.
func (j *Job) hostsOfFile(name string) []string {
	if j.WorkTree == "" || name == "" {
		return nil
	}
	root, err := os.OpenRoot(j.WorkTree)
	if err != nil {
		return nil
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > besideFile {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, besideFile))
	if err != nil {
		return nil
	}
	var named, any []string
	for line := range strings.Lines(string(data)) {
		if !setting().MatchString(line) {
			continue
		}
		for _, h := range j.hostsIn(strings.TrimRight(line, "\r\n")) {
			if !slices.Contains(any, h) {
				any = append(any, h)
			}
			if j.namesVendor(line) && !slices.Contains(named, h) {
				named = append(named, h)
			}
		}
	}
	if len(named) > 0 {
		return named
	}
	return any
}

// namesVendor reports whether a line holds the vendor's name or a word by which
// its keys are known.
func (j *Job) namesVendor(line string) bool {
	line = strings.ToLower(line)
	words := append([]string{j.Leak.Rule.Provider}, j.Leak.Rule.Keywords...)
	return slices.ContainsFunc(words, func(w string) bool { return len(w) > 3 && strings.Contains(line, strings.ToLower(w)) })
}

// remoteHost is the host of a remote's address, "" when it is none that people
// reach by a name.
func remoteHost(remote string) string {
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		switch u.Scheme {
		case "https":
			return u.Host
		case "http":
			return "http://" + u.Host
		}
		return u.Hostname() // the port is that of another service
	}
	host, _, ok := strings.Cut(remote, ":") // git@host:path
	if at := strings.LastIndex(host, "@"); ok && at >= 0 && strings.Contains(host[at:], ".") {
		return host[at+1:]
	}
	return ""
}

// host asks for the server of a kind that people host themselves: the one that
// stands beside the key is proposed before the vendor's own.
func (j *Job) host(ctx context.Context, q rules.Ask) (call.Value, error) {
	b := j.HostBeside()
	switch {
	case b == nil || b.Host == q.Default:
		return j.ask(ctx, q)
	case j.Ask == nil:
		v, err := j.ask(ctx, q)
		if err != nil {
			err = fmt.Errorf("%w; %s stands %s: --set host=%s if it is yours", err, b.Host, b.Where, b.Host)
		}
		return v, err
	}
	q.Text += " (" + b.Host + " stands " + b.Where + ")"
	text, err := j.Accepted(ctx, q, b.Host)
	if err != nil {
		return call.Value{}, err
	}
	return j.answer(q, text, true)
}
