package call

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// dialer opens connections and looks at the address that a name has led to, at
// the last moment: a name server that answers differently the second time
// changes nothing.
type dialer struct {
	own     bool // the host is the owner's: any address
	inner   func(ctx context.Context, network, address string) (net.Conn, error)
	mu      sync.Mutex
	proxies map[string]bool // host:port of proxies in use; they may stand in a private network
}

// proxy is http.ProxyFromEnvironment, and remembers the proxy's address.
func (d *dialer) proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if u == nil || err != nil {
		return u, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		if port == "" {
			port = "80"
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proxies == nil {
		d.proxies = map[string]bool{}
	}
	d.proxies[net.JoinHostPort(u.Hostname(), port)] = true
	return u, nil
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.inner != nil {
		return d.inner(ctx, network, address)
	}
	d.mu.Lock()
	free := d.own || d.proxies[address]
	d.mu.Unlock()
	n := &net.Dialer{Timeout: 10 * time.Second}
	if !free {
		n.Control = func(_, resolved string, _ syscall.RawConn) error { return onInternet(resolved) }
	}
	return n.DialContext(ctx, network, address)
}

// onInternet refuses what is not a public address. resolved is IP:port.
func onInternet(resolved string) error {
	at, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return fmt.Errorf("%s: %w", resolved, ErrPrivateAddress)
	}
	ip := at.Addr().Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || reserved(ip) {
		return fmt.Errorf("%s: %w", ip, ErrPrivateAddress)
	}
	return nil
}

// reserved tells the addresses that IANA has set aside for other ends than
// reaching a server on the internet and that netip's own predicates let pass
// (https://www.iana.org/assignments/iana-ipv4-special-registry, and ipv6).
// NAT64 and 6to4 wrap an IPv4 address, which could be a private one.
func reserved(ip netip.Addr) bool {
	b := ip.As16()
	if ip.Is4() {
		b := ip.As4()
		switch {
		case b[0] == 0, b[0] >= 240, // "this network"; reserved and broadcast
			b[0] == 100 && b[1]&0xc0 == 64,                         // shared address space
			b[0] == 192 && b[1] == 0 && b[2] == 0,                  // protocol assignments
			b[0] == 192 && b[1] == 0 && b[2] == 2,                  // documentation
			b[0] == 198 && b[1]&0xfe == 18,                         // benchmarks
			b[0] == 198 && b[1] == 51 && b[2] == 100,               // documentation
			b[0] == 203 && b[1] == 0 && b[2] == 113,                // documentation
			b[0] == 168 && b[1] == 63 && b[2] == 129 && b[3] == 16: // Azure's platform address (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)
			return true
		}
		return false
	}
	wrapped := func(at int) bool {
		four := netip.AddrFrom4([4]byte(b[at : at+4]))
		return !four.IsGlobalUnicast() || four.IsPrivate() || reserved(four)
	}
	has := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(ip) }
	switch {
	case has("64:ff9b::/96"): // NAT64
		return wrapped(12)
	case has("2002::/16"): // 6to4
		return wrapped(2)
	}
	return has("64:ff9b:1::/48") || has("100::/64") || has("2001:db8::/32") || has("fec0::/10")
}
