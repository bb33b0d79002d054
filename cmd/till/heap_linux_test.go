package main

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestLargePages: the heap has large pages, and nothing is used for it.
func TestLargePages(t *testing.T) {
	largePages()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil || strconv.IntSize < 64 {
		t.Skip("no such system")
	}
	largest := 0
	for _, area := range regexp.MustCompile(`(?m)^Size: +(\d+) kB\n(?:[A-Z]\w+: .*\n)*?VmFlags: .*\bhg\b`).FindAllStringSubmatch(string(maps), -1) {
		size, _ := strconv.Atoi(area[1])
		largest = max(largest, size)
	}
	if largest < 200<<10 {
		if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil || !strings.Contains(string(maps), "VmFlags") {
			t.Skip("no large pages here")
		}
		t.Errorf("the largest area with large pages has %d KiB", largest)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 200<<20 {
		t.Errorf("%d bytes are taken for good", m.HeapAlloc)
	}
}
