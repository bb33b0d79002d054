package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/internal/lazy"
)

// sshTalk speaks to one account on one server through the owner's own ssh. Host
// keys are always checked against what the owner's ssh knows, and an unknown one
// is an error.
type sshTalk struct {
	j       *rotate.Job
	dest    []string // as ssh takes it: "-p", "2222", "--", "ada@shop"
	shown   string   // "ada@shop.example.org:2222"
	options []string // of the owner's configuration, without what signs in
	file    string   // authorized_keys as the person names it, else ssh's usual one
}

var sshName = lazy.Regexp(`\A(?:[A-Za-z0-9._][A-Za-z0-9._\\+-]*@)?(?:[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?)\z`)

// kept are the settings of the owner's ssh configuration that say how a server
// is reached and recognised. Those that choose a key have no say.
var kept = []string{
	"addressfamily", "bindaddress", "bindinterface", "ciphers", "checkhostip", "globalknownhostsfile", "hostkeyalgorithms", "hostkeyalias", "hostname",
	"kexalgorithms", "knownhostscommand", "macs", "port", "proxycommand", "pubkeyacceptedalgorithms", "user", "userknownhostsfile",
}

// sshOpen reads the owner's configuration for a server: USER@HOST:PORT, or a name
// from it.
func sshOpen(ctx context.Context, j *rotate.Job, name string) (*sshTalk, error) {
	if !sshName().MatchString(name) {
		return nil, fmt.Errorf("server %q: expected USER@HOST, USER@HOST:PORT or a name from your ssh configuration", name)
	}
	if j.Run == nil {
		return nil, errors.New("the owner's ssh may not be started here")
	}
	t := &sshTalk{j: j, shown: name, file: orWord(j.Given["authorized_keys"], ".ssh/authorized_keys")}
	if !remotePath().MatchString(t.file) {
		return nil, fmt.Errorf("authorized_keys: %q: expected a path of letters, digits and ._/-", t.file)
	}
	host := name
	if at := strings.LastIndex(name, ":"); at >= 0 && (strings.HasSuffix(name[:at], "]") || !strings.Contains(name, "[")) {
		host = name[:at]
		t.dest = append(t.dest, "-p", name[at+1:])
	}
	t.dest = append(t.dest, "--", strings.NewReplacer("[", "", "]", "").Replace(host))
	out, err := j.Run.Run(ctx, slices.Concat(t.program(), []string{"-G"}, t.dest), "")
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		said[key] = value
		if slices.Contains(kept, key) && value != "" && value != "none" {
			t.options = append(t.options, "-o", key+"="+value)
		}
	}
	if said["hostname"] == "" {
		return nil, errors.New("ssh -G does not say where " + name + " is")
	}
	if jump := said["proxyjump"]; jump != "" && jump != "none" {
		// As ssh does it; the way there is the owner's, with his configuration and keys.
		way := strings.Join(t.program(), " ")
		if at := strings.LastIndex(jump, ","); at >= 0 {
			way, jump = way+" -J "+jump[:at], jump[at+1:]
		}
		t.options = append(t.options, "-o", "ProxyCommand="+way+" -W [%h]:%p "+jump)
	}
	t.shown = said["user"] + "@" + said["hostname"]
	if p := said["port"]; p != "" && p != "22" {
		t.shown += ":" + p
	}
	return t, nil
}

// program is the owner's ssh with his configuration.
func (t *sshTalk) program() []string {
	if f := t.j.Given["ssh_config"]; f != "" {
		return []string{"ssh", "-F", f}
	}
	return []string{"ssh"}
}

// always is what every connection is made with.
var always = []string{
	"-T", "-v", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10",
	"-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes", "-o", "ForwardAgent=no", "-o", "ControlPath=none", "-o", "PreferredAuthentications=publickey",
}

// withKey starts ssh with one key and no other. The key comes first on standard
// input and goes into an agent that lives as long as this ssh: it is on no disk,
// in no command line and no environment. The owner's own agent is there for the
// servers on the way.
const withKey = `TILL_AGENT=$SSH_AUTH_SOCK; export TILL_AGENT
exec ssh-agent sh -c 'agent=$SSH_AUTH_SOCK
while IFS= read -r line; do printf "%s\n" "$line"; case $line in -----END*) break;; esac; done | ssh-add -q - || exit 120
SSH_AUTH_SOCK=$TILL_AGENT
exec ssh -F none -o IdentityFile=none -o "IdentityAgent=$agent" "$@"' till "$@"`

// login is how an attempt to sign in ended.
type login int

const (
	loginUnknown login = iota
	loginIn
	loginRefused // the server has seen this key and did not take it
	loginOpen    // the server asks for no key
)

// sshAnswer is what came of one connection.
type sshAnswer struct {
	login login
	why   string // where it is unknown
	ran   bool   // the script has run to its end
	said  string // what it printed
	link  bool   // the file read is a link
	code  int
}

var (
	sshAccepted = lazy.Regexp(`(?m)(?:^Authenticated to .* using "publickey"|Authentication succeeded \(publickey\))`)
	sshNoKey    = lazy.Regexp(`(?m)(?:^Authenticated to .* using "none"|Authentication succeeded \(none\))`)
	sshOffered  = lazy.Regexp(`(?m)^debug1: Offering .*public key`)
	sshRefused  = lazy.Regexp(`(?m)^\S+: Permission denied \(`)
	remotePath  = lazy.Regexp(`\A[A-Za-z0-9._/-]+\z`)
)

// run signs in, with a key or, where that is nil, as the owner does, and runs a
// script there. Its words are plain; no line of the script holds a single quote.
func (t *sshTalk) run(ctx context.Context, key *sshKey, script, stdin string, words ...string) (sshAnswer, error) {
	dir, err := os.MkdirTemp("", "till-ssh-")
	if err != nil {
		return sshAnswer{}, err
	}
	defer os.RemoveAll(dir)
	logFile := filepath.Join(dir, "log")
	mark := rotate.Password(20).Reveal()
	remote := "sh -c '" + strings.ReplaceAll(script, "MARK", mark) + "' till " + strings.Join(words, " ")
	args := append(slices.Clone(always), "-E", logFile)
	var program []string
	if key == nil {
		program = t.program()
	} else {
		program = []string{"sh", "-c", withKey, "till"}
		args = append(args, t.options...)
		stdin = string(key.pem) + stdin
	}
	out, err := t.j.Run.Run(ctx, slices.Concat(program, args, t.dest, []string{remote}), stdin)
	if ctx.Err() != nil {
		return sshAnswer{}, ctx.Err()
	}
	var a sshAnswer
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		a.code = exit.ExitCode()
	} else if err != nil {
		return a, err
	}
	data, _ := os.ReadFile(logFile)
	log := string(data)
	if _, rest, ok := strings.Cut(out, "\n"+mark+"\n"); ok {
		if a.said, _, ok = strings.Cut(rest, "\n"+mark+" end"); ok {
			a.ran = true
		}
	}
	switch {
	case sshNoKey().MatchString(log):
		a.login = loginOpen
	case sshAccepted().MatchString(log), key == nil && a.ran:
		a.login = loginIn
	case sshRefused().MatchString(log) && (key == nil || sshOffered().MatchString(log)):
		a.login = loginRefused
	case a.code == 120:
		a.why = "ssh-add does not take this key"
	default:
		a.why = lastWords(log)
		if strings.Contains(log, "Host key verification failed") || strings.Contains(log, "host key is known") {
			a.why = "your ssh does not know the host key of " + t.shown + ": log in once by yourself and compare it"
		}
	}
	return a, nil
}

// lastWords is the last line of ssh's log that is meant for people.
func lastWords(log string) string {
	last := "ssh says nothing"
	for line := range strings.Lines(log) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "debug") && !strings.HasPrefix(line, "OpenSSH_") && !strings.HasPrefix(line, "Authenticated to") {
			last = line
		}
	}
	return last
}

// The scripts are for any POSIX shell, and for any login shell around it.
const (
	scriptFile = `f=$1; case $f in /*) ;; *) f=$HOME/$f ;; esac; `
	scriptRead = scriptFile + `echo; echo MARK; if test -e "$f"; then test -L "$f" && echo link || echo file; cat "$f" || exit 71; else echo none; fi; echo; echo MARK end`
	// A copy with the old mode and owner gets the new content and takes the name,
	// if the file is still what was read; the first copy of a case is kept.
	scriptWrite = scriptFile + `n=$f.till-new; b=$f.$5; umask 077; test -L "$f" && exit 67; rm -f "$n"; cp -p "$f" "$n" || exit 71; cat > "$n" || exit 71; ` +
		`test "$(wc -c < "$n" | tr -d " ")" = "$2" || { rm -f "$n"; exit 68; }; ` +
		`test "$(cksum < "$f" | cut -d " " -f 1,2)" = "$3 $4" || { rm -f "$n"; exit 69; }; ` +
		`test -e "$b" || cp -p "$f" "$b" || { rm -f "$n"; exit 71; }; mv -f "$n" "$f" || exit 71; echo; echo MARK; echo; echo MARK end`
)

// read returns a file there, and a login that could read it.
func (t *sshTalk) read(ctx context.Context, key *sshKey, file string) (content []byte, a sshAnswer, err error) {
	a, err = t.run(ctx, key, scriptRead, "", file)
	if err != nil || !a.ran {
		return nil, a, err
	}
	kind, text, _ := strings.Cut(a.said, "\n")
	a.link = kind == "link"
	return []byte(text), a, nil
}

// write replaces authorized_keys in one step, if it still is what was read.
func (t *sshTalk) write(ctx context.Context, key *sshKey, was, content []byte) error {
	a, err := t.run(ctx, key, scriptWrite, string(content), t.file, fmt.Sprint(len(content)), fmt.Sprint(posixSum(was)), fmt.Sprint(len(was)), t.backup())
	if err != nil {
		return err
	}
	if a.ran {
		return nil
	}
	why := map[int]string{
		67: "is a link",
		68: "did not come through whole",
		69: "was changed by somebody else in the meantime: try again",
	}[a.code]
	return fmt.Errorf("%s: %s %s", t.shown, t.file, orWord(why, orWord(a.why, fmt.Sprintf("could not be written (exit code %d)", a.code))))
}

// backup is the end of the name of the copy that stays.
func (t *sshTalk) backup() string {
	return "till-" + strings.ToLower(t.j.Leak.ID)
}

// posixSum is what cksum prints for a content
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cksum.html).
func posixSum(data []byte) uint32 {
	var crc uint32
	step := func(b byte) {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	for _, b := range data {
		step(b)
	}
	for n := len(data); n > 0; n >>= 8 {
		step(byte(n))
	}
	return ^crc
}
