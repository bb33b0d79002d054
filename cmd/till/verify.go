package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/scanner"
)

// atOnce is how many keys are asked about at the same time: vendors count
// requests, and a scan has time.
const atOnce = 4

// verifyKeys asks the vendors about all keys and puts the answers into them.
// Before the first one it says which hosts will be called; a person says yes
// once for each host, a script with --yes.
func verifyKeys(ctx context.Context, e *env, keys []scanner.Key, yes bool) (notes []string, err error) {
	w, err := openWorkshop(e, &jobFlags{})
	if err != nil {
		return nil, err
	}
	defer w.close()
	jobs := make([]*rotate.Job, len(keys))
	hosts := map[string]bool{}
	for i := range keys {
		j := w.job(&keys[i])
		j.Ask, j.Run = nil, nil // a scan asks nothing about each key and starts no program
		// A host that only a person can name is asked about by till check.
		if !j.CanVerify() || strings.Contains(j.VerifyHost(), "{") || j.Announce(ctx) == "" {
			continue
		}
		jobs[i] = j
		hosts[j.VerifyHost()] = true
	}
	if len(hosts) == 0 {
		return []string{"--verify: no key whose vendor could be asked"}, nil
	}
	if ok, err := w.mayCall(ctx, hosts, yes); err != nil || !ok {
		return []string{"--verify: nobody was asked"}, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, j := range jobs {
		if j == nil {
			continue
		}
		g.Go(func() error {
			v, err := j.VerifyAll(ctx)
			keys[i].Validity = string(v.Validity)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	asked := 0
	for _, j := range jobs {
		if j != nil {
			asked++
		}
	}
	return []string{fmt.Sprintf("asked about %s at %s", plural(asked, "key"), plural(len(hosts), "host"))}, nil
}

// mayCall asks a person about the hosts that he has not said yes to before.
func (w *workshop) mayCall(ctx context.Context, hosts map[string]bool, yes bool) (bool, error) {
	if yes {
		return true, nil
	}
	file := ""
	if dir := stateDir(w.e); dir != "" {
		file = filepath.Join(dir, "hosts")
	}
	known := map[string]bool{}
	if data, err := os.ReadFile(file); err == nil {
		for h := range strings.Lines(string(data)) {
			known[strings.TrimSpace(h)] = true
		}
	}
	var fresh []string
	for h := range hosts {
		if !known[h] {
			fresh = append(fresh, h)
		}
	}
	slices.Sort(fresh)
	if len(fresh) == 0 {
		return true, nil
	}
	if !w.interactive() {
		return false, withHint(errors.New("--verify would send keys to their vendors, and nobody is there to say yes"), "till scan --verify --yes")
	}
	fmt.Fprintf(w.e.stderr, "Each key goes to its own vendor, to nobody else:\n")
	for _, h := range fresh {
		fmt.Fprintf(w.e.stderr, "  %s\n", printable(h))
	}
	ok, err := w.confirm(ctx, "Ask them?", false)
	if err != nil || !ok || file == "" {
		return ok, err
	}
	// That it cannot be remembered keeps nobody from asking now.
	if os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		_ = appendFile(file, []byte(strings.Join(fresh, "\n")+"\n"))
	}
	return true, nil
}
