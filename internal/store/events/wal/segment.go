package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/stream"
)

const (
	segmentMagic = "SBWAL\x00\x01\n"
	recordMagic  = "SBR1"
	recordHeader = len(recordMagic) + 8
	maxRecord    = 1 << 30

	// EmptySize is the size of a segment without records; what is longer in the header of one that is encrypted does not count.
	EmptySize = int64(len(segmentMagic))

	// Ext ends a segment's file name.
	Ext = ".wal"
)

// ErrBroken is returned by a segment that takes no more because an earlier
// write or sync failed.
var ErrBroken = errors.New("segment is broken")

// Name is what a segment's file name says.
type Name struct {
	Signal string // logs or spans
	Day    string // UTC, 2006-01-02: of the head it belongs to
	ID     uint64 // unique in the store
}

// FileName is for example logs-2026-11-21-0005e8a1b2c3d4e5.wal.
func (n Name) FileName() string { return fmt.Sprintf("%s-%s-%016x%s", n.Signal, n.Day, n.ID, Ext) }

// ParseName reads a file name, with or without folders.
func ParseName(path string) (n Name, ok bool) {
	base, ok := strings.CutSuffix(filepath.Base(path), Ext)
	signal, rest, ok2 := strings.Cut(base, "-")
	i := strings.LastIndexByte(rest, '-')
	if !ok || !ok2 || i < 0 {
		return n, false
	}
	id, err := strconv.ParseUint(rest[i+1:], 16, 64)
	if _, err2 := time.Parse(time.DateOnly, rest[:i]); err != nil || err2 != nil {
		return n, false
	}
	return Name{Signal: signal, Day: rest[:i], ID: id}, true
}

// Segment is a segment being written, safe for concurrent use.
type Segment struct {
	Name Name
	path string
	// onSync sees how long each fdatasync took.
	onSync func(time.Duration)
	acked  *Acked // nil remembers nothing
	key    *cipherfile.Key
	head   int64 // size of what stands before the first record

	mu      sync.Mutex // writing
	f       disk.File
	size    int64
	written uint64 // records
	broken  error
	closed  bool

	syncMu sync.Mutex // syncing; one does it for all who wrote before
	synced uint64     // records
}

// Create makes a segment's file, durably. onSync and acked may be nil.
func Create(fs disk.FS, keys *cipherfile.Keys, dir string, name Name, onSync func(time.Duration), acked *Acked) (*Segment, error) {
	path := filepath.Join(dir, name.FileName())
	head, key, err := keys.Begin(name.FileName())
	if err != nil {
		return nil, fmt.Errorf("create segment %s: %w", path, err)
	}
	if head == nil {
		head = []byte(segmentMagic)
	}
	f, err := fs.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create segment %s: %w", path, err)
	}
	_, err = f.Write(head)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fs.SyncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create segment %s: %w", path, err), f.Close(), fs.Remove(path))
	}
	if onSync == nil {
		onSync = func(time.Duration) {}
	}
	s := &Segment{Name: name, path: path, onSync: onSync, acked: acked, key: key, head: int64(len(head)), f: f, size: int64(len(head))}
	s.remember(s.size)
	return s, nil
}

func (s *Segment) remember(size int64) {
	if s.acked != nil {
		s.acked.Set(s.Name, size-s.head+EmptySize)
	}
}

// Path is the file's path.
func (s *Segment) Path() string { return s.path }

// Broken reports whether the segment takes no more.
func (s *Segment) Broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken != nil
}

// Append writes one payload and returns when it is durable. After an error it
// is not (though a crash may still bring it back).
func (s *Segment) Append(payload []byte) error {
	n, err := s.write(frame(payload, s.key))
	if err != nil {
		return err
	}
	return s.sync(n)
}

// frame compresses the payload, encrypts it where there is a key, and puts it into a record.
func frame(payload []byte, key *cipherfile.Key) []byte {
	b := make([]byte, recordHeader, recordHeader+s2.MaxEncodedLen(len(payload)))
	body := s2.Encode(b[recordHeader:cap(b)], payload)
	if key == nil {
		b = b[:recordHeader+len(body)]
	} else {
		b = key.Seal(make([]byte, recordHeader, recordHeader+len(body)+key.Overhead()), body)
		body = b[recordHeader:]
	}
	copy(b, recordMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[8:], recordCRC(b[4:8], body))
	return b
}

func recordCRC(length, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, table), table, body)
}

func (s *Segment) write(record []byte) (n uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return 0, s.broken
	}
	if s.closed {
		return 0, fmt.Errorf("write segment %s: %w", s.path, ErrBroken)
	}
	if len(record) > maxRecord {
		return 0, fmt.Errorf("write segment %s: record of %d bytes is too long: %w", s.path, len(record), stream.ErrPoison)
	}
	if _, err := s.f.Write(record); err != nil {
		err = fmt.Errorf("write segment %s: %w", s.path, err)
		if cut := s.f.Truncate(s.size); cut != nil {
			s.broken = fmt.Errorf("%w: %w", ErrBroken, errors.Join(err, cut))
		}
		return 0, err
	}
	s.size += int64(len(record))
	s.written++
	return s.written, nil
}

// sync returns when record n is durable.
func (s *Segment) sync(n uint64) error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.synced >= n {
		return nil
	}
	s.mu.Lock()
	upTo, size, broken := s.written, s.size, s.broken
	s.mu.Unlock()
	if broken != nil {
		return broken
	}
	start := time.Now()
	err := s.f.Sync()
	s.onSync(time.Since(start))
	if err != nil {
		// The kernel may have dropped the pages: what a later sync says proves nothing.
		err = fmt.Errorf("sync segment %s: %w", s.path, err)
		s.mu.Lock()
		s.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		s.mu.Unlock()
		return err
	}
	s.synced = upTo
	s.remember(size)
	return nil
}

// Close closes the file; what was acknowledged is durable already.
func (s *Segment) Close() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.f.Close()
}
