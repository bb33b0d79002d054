package pack

import (
	"container/list"
	"sync"
)

// baseCacheSize is how many bytes of bases Get remembers. Git's own limit
// (core.deltaBaseCacheLimit) is 96 MiB; a third of that holds the chains of any
// file or tree that is read version after version.
const baseCacheSize = 32 << 20

// baseCache remembers the bases that Get has made, least recently used first
// out. The bytes in it are never changed. Safe for concurrent use.
type baseCache struct {
	mu    sync.Mutex
	limit int
	size  int
	items map[baseKey]*list.Element
	order list.List // of *baseItem, most recently used first
}

type baseKey struct {
	p   *packFile
	off int64
}

type baseItem struct {
	key  baseKey
	typ  Type
	data []byte
}

func (c *baseCache) get(k baseKey) (Type, []byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[k]
	if e == nil {
		return 0, nil, false
	}
	c.order.MoveToFront(e)
	it := e.Value.(*baseItem)
	return it.typ, it.data, true
}

// put hands data over to the cache. It reports whether the cache took it.
func (c *baseCache) put(k baseKey, t Type, data []byte) bool {
	if len(data) > c.limit/4 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items == nil {
		c.items = map[baseKey]*list.Element{}
	}
	if c.items[k] != nil {
		return false
	}
	c.items[k] = c.order.PushFront(&baseItem{k, t, data})
	c.size += len(data)
	for c.size > c.limit {
		e := c.order.Back()
		it := c.order.Remove(e).(*baseItem)
		delete(c.items, it.key)
		c.size -= len(it.data)
	}
	return true
}
