package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/till-sh/till/scanner/pack"
)

// Record makes a History remember in the git directory what it has looked at
// (till/history-…), so that the next scan reads only what is new and what held
// something.
//
// The file lists object ids, sizes and commits, and where the objects that held
// something stand; no value, and no path or author in which one was found.
// Because whoever makes a repository could put one into it that calls
// everything clean, it counts only with a MAC under Key, over its content and
// the place of the repository. In all doubt the objects are read again.
type Record struct {
	// Key is the person's secret; nobody who can make repositories may know it.
	Key []byte
	// Config stands for everything that decides what is found: program, rules,
	// options. A record is for one Config.
	Config [sha256.Size]byte
}

// The flags of an object in a record.
const (
	flagTold    = 1 << iota // something of it is reported: it is read each time
	flagReached             // a commit that a tip reached
	flagHead                // a commit that HEAD reached
)

// record is the content of a file.
type record struct {
	// connected says that all commits and trees could be read and that the
	// objects which they name were there.
	connected bool
	// sound says that nothing in the store was damaged.
	sound  bool
	stamps map[string]stamp  // of packs, by path
	kinds  [5]recordTable    // by pack.Type
	spans  map[uint32][]span // by position in kinds[pack.TypeBlob]
	texts  int               // of spans, numbered from 0
	graph  *commitGraph      // in the order of kinds[pack.TypeCommit]
	tags   []tagNode         // in the order of kinds[pack.TypeTag]
	people int               // authors whose lines are reported; they are known by number
	places map[pack.OID][]recordPlace
	// placed says that places lists all objects that are reported.
	placed bool
}

// recordTable lists the objects of one type.
type recordTable struct {
	idTable
	flags []byte
	sizes []int64 // blobs only
}

// span is one of the stretches of a blob that give all that is reported of it, and
// the number of line feeds before it.
//
// Versions of a file have most of their stretches in common. Those with the same
// text have the same number, so that one blob with it needs to be read and not
// all. The file says no more of the text than that.
type span struct{ from, to, line, text int }

// recordPlace is where an object stands: the first commit that brought it to a
// path.
type recordPlace struct {
	path   string
	commit uint32 // position in the table of commits
	gone   uint32 // that took it away, 1 more than its position; 0 = none
}

// stamp tells whether a pack and its index are the files that they were.
type stamp struct{ size, mtime, indexSize, indexTime int64 }

func stampOf(p *pack.Pack) (s stamp, err error) {
	info, err := os.Stat(p.Path)
	if err != nil {
		return s, err
	}
	s.size, s.mtime = info.Size(), info.ModTime().UnixNano()
	if info, err = os.Stat(p.IndexPath()); err != nil {
		return s, err
	}
	s.indexSize, s.indexTime = info.Size(), info.ModTime().UnixNano()
	return s, nil
}

// find returns the type of an object and its position among those, 0 when it is
// not known.
func (r *record) find(id []byte) (t pack.Type, i int) {
	for _, t := range [...]pack.Type{pack.TypeTree, pack.TypeBlob, pack.TypeCommit, pack.TypeTag} {
		if i := r.kinds[t].find(id); i >= 0 {
			return t, i
		}
	}
	return 0, 0
}

const (
	recordFolder = "till"
	recordPrefix = "history-"
	recordKind   = "record 3"
	// maxRecords is how many files are kept: one for each set of rules and
	// options that is in use.
	maxRecords = 8
	// maxRecord is the largest file that is read; some 35 bytes an object are
	// written, and Linux has 11 million.
	maxRecord = 4 << 30
)

var errNoRecord = errors.New("there is no record")

// fileName is the file of a record. It depends on the key, so that several
// persons do not take turns in overwriting each other's, and nobody can put a
// file where it would be read.
func (o *Record) fileName(prefix string) string {
	m := hmac.New(sha256.New, o.Key)
	m.Write([]byte("till record name\x00"))
	m.Write(o.Config[:])
	return filepath.Join(recordFolder, prefix+hex.EncodeToString(m.Sum(nil)[:10]))
}

// mac covers the content, the configuration and the place of the repository, so
// that a record is of no use elsewhere. What names the kind of content.
func (o *Record) mac(r *Repository, what string, body []byte) []byte {
	m := hmac.New(sha256.New, o.Key)
	fmt.Fprintf(m, "till %s\x00%q\x00%q\x00", what, r.CommonDir, r.objects)
	m.Write(o.Config[:])
	m.Write(body)
	return m.Sum(nil)
}

// loadRecord reads the record of an earlier scan. The error is errNoRecord when
// there is none; any other says why the one that is there does not count.
func (r *Repository) loadRecord(o *Record) (*record, error) {
	data, err := r.readRecord(o.fileName(recordPrefix))
	if err != nil {
		return nil, err
	}
	body := data[:max(0, len(data)-sha256.Size)]
	genuine := make(chan bool, 1) // each takes a while, and decodeRecord believes nothing
	go func() { genuine <- hmac.Equal(o.mac(r, recordKind, body), data[len(body):]) }()
	rec, err := decodeRecord(body, r.Format)
	if !<-genuine {
		return nil, errors.New("it was altered, cut short, or made elsewhere")
	}
	return rec, err
}

// readRecord reads a file below the git directory.
func (r *Repository) readRecord(path string) ([]byte, error) {
	// A Root follows no link out of the git directory.
	root, err := os.OpenRoot(r.CommonDir)
	if err != nil {
		return nil, errNoRecord
	}
	defer root.Close()
	info, err := root.Lstat(path)
	if err != nil {
		return nil, errNoRecord
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecord {
		return nil, errors.New("it is no file of a sensible size")
	}
	f, err := root.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, bareError(err)
	}
	defer f.Close()
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, errors.New("it is cut short")
	}
	return data, nil
}

func (r *Repository) saveRecord(o *Record, rec *record) error {
	body := encodeRecord(rec, r.Format)
	return r.writeRecord(o.fileName(recordPrefix), append(body, o.mac(r, recordKind, body)...))
}

// writeRecord replaces a file below the git directory in one step, so that a scan
// at the same time reads the old one or the new one.
func (r *Repository) writeRecord(path string, data []byte) error {
	root, err := os.OpenRoot(r.CommonDir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(recordFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	part := fmt.Sprintf("%s.%d-%d.tmp", path, os.Getpid(), time.Now().UnixNano())
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(part, path)
	}
	if err != nil {
		_ = root.Remove(part)
		return err
	}
	pruneRecords(root, recordPrefix)
	pruneRecords(root, answerPrefix)
	return nil
}

// pruneRecords removes what nobody will read again: the oldest files of a kind, and
// those that a scan left half written.
func pruneRecords(root *os.Root, prefix string) {
	list, err := fs.ReadDir(root.FS(), recordFolder)
	if err != nil {
		return
	}
	type file struct {
		name string
		time time.Time
	}
	var records []file
	for _, e := range list {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		switch half := strings.HasSuffix(e.Name(), ".tmp"); {
		case !half:
			records = append(records, file{e.Name(), info.ModTime()})
		case time.Since(info.ModTime()) > time.Hour:
			_ = root.Remove(filepath.Join(recordFolder, e.Name()))
		}
	}
	slices.SortFunc(records, func(a, b file) int { return b.time.Compare(a.time) })
	for _, f := range records[min(len(records), maxRecords):] {
		_ = root.Remove(filepath.Join(recordFolder, f.name))
	}
}
