package mend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// logs mends the write-ahead log and its newest checkpoint.
func (m *mender) logs() error {
	wal := filepath.Join(m.dir, "wal")
	if _, err := m.folder(wal); err != nil {
		return err
	}
	checkpoint, covered, err := newestCheckpoint(wal)
	if err != nil {
		return err
	}
	before := len(m.found)
	if checkpoint != "" {
		if err := m.oneLog(checkpoint, 0, -1); err != nil {
			return err
		}
	}
	numbers, err := m.segments(wal)
	if err != nil {
		return err
	}
	if checkpoint == "" && len(numbers) > 0 && numbers[0] > 0 {
		if err := m.lostCheckpoint(wal, numbers[0]); err != nil {
			return err
		}
	}
	begin := -1
	if checkpoint != "" {
		begin = covered + 1
	} else if len(numbers) == 0 {
		m.allMissing(acked.Samples) // the TSDB begins anew
	}
	_, snapshot := lastSnapshot(m.dir)
	if err := m.oneLog(wal, begin, max(snapshot, m.newestAcked(acked.Samples))); err != nil {
		return err
	}
	if len(m.found) > before {
		return m.orphans(wal)
	}
	return nil
}

// oneLog mends the segments of a folder. Those from begin (if ≥ 0) to the newest, and up
// to end, must be there.
func (m *mender) oneLog(dir string, begin, end int) error {
	numbers, err := m.segments(dir)
	if err != nil || len(numbers) == 0 && begin < 0 {
		return err
	}
	newest := begin
	if len(numbers) > 0 {
		newest = numbers[len(numbers)-1]
		if begin < 0 || begin > numbers[0] {
			begin = numbers[0]
		}
	}
	for n := begin; n <= max(newest, end); n++ {
		path := filepath.Join(dir, segmentName(n))
		if !slices.Contains(numbers, n) {
			err = m.missing(path)
		} else {
			err = m.oneSegment(path, n == newest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lostCheckpoint makes an empty one for a log that begins later than it could
// without any.
func (m *mender) lostCheckpoint(wal string, begin int) error {
	path := filepath.Join(wal, fmt.Sprintf("checkpoint.%08d", begin-1))
	if err := os.MkdirAll(path, 0o750); err != nil {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	return m.missing(filepath.Join(path, segmentName(0)))
}

// missing makes an empty segment, as the TSDB refuses a log with a gap.
func (m *mender) missing(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640) //nolint:gosec // as the TSDB makes them
	if err != nil {
		return fmt.Errorf("make an empty log segment: %w", err)
	}
	m.note(Damage{File: m.relative(path), Reason: "the file is missing"})
	return f.Close()
}

func (m *mender) oneSegment(path string, newest bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open log segment: %w", err)
	}
	defer f.Close()
	s, err := walk(f, m.visit)
	if err != nil {
		return err
	}
	if len(s.holes) == 0 && len(s.blank) == 0 && s.truncate < 0 {
		return m.noteHoles(path, s, newest)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open log segment for mending: %w", err)
	}
	defer w.Close()
	s.file = w
	for _, h := range s.holes {
		if err := m.keepHole(f, path, h); err != nil {
			return err
		}
	}
	if err := s.mend(); err != nil {
		return err
	}
	return m.noteHoles(path, s, newest)
}

// keepHole copies the bytes of a hole to quarantine/.
func (m *mender) keepHole(f *os.File, path string, h hole) error {
	data := make([]byte, h.size)
	if _, err := f.ReadAt(data, h.offset); err != nil {
		return fmt.Errorf("read the damaged bytes of %s: %w", path, err)
	}
	name := strings.ReplaceAll(m.relative(path), string(filepath.Separator), "-")
	return m.setAside(fmt.Sprintf("%s@%d", name, h.offset), data)
}

// noteHoles names what is lost: every hole but the one that a crash leaves at the end of the newest segment, behind
// what was acknowledged, and what of that is missing behind the end.
func (m *mender) noteHoles(path string, s *segment, newest bool) error {
	promised := m.acknowledged(path)
	if whole := s.size; whole < promised && (len(s.holes) == 0 || !s.holes[len(s.holes)-1].torn) {
		s.holes = append(s.holes, hole{offset: whole, reason: "it was cut off", torn: true})
	}
	for _, h := range s.holes {
		if newest && h.torn && h.offset >= promised {
			m.log.Info("metrics log ended in the middle of a record; what was not acknowledged is dropped", "file", m.relative(path), "bytes", h.size)
			continue
		}
		if h.torn {
			h.size = max(h.size, promised-h.offset)
		}
		start, end, err := around(path, h)
		if err != nil {
			m.log.Warn("the times around a damage are not known", "file", m.relative(path), "err", err)
		}
		m.note(Damage{File: m.relative(path), Reason: h.reason, Offset: h.offset, Bytes: h.size, Start: start, End: end})
	}
	return nil
}

// newestCheckpoint is the folder that the log continues, and the last segment
// it stands for: "", -1 where there is none.
func newestCheckpoint(wal string) (dir string, covers int, err error) {
	entries, err := os.ReadDir(wal)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return "", 0, fmt.Errorf("list %s: %w", wal, err)
	}
	covers = -1
	for _, e := range entries {
		number, isCheckpoint := strings.CutPrefix(e.Name(), "checkpoint.")
		n, err := strconv.Atoi(number)
		if isCheckpoint && err == nil && e.IsDir() && n > covers {
			dir, covers = filepath.Join(wal, e.Name()), n
		}
	}
	return dir, covers, nil
}

// segments lists the numbers of a log's segments, ascending; what bears such a name and is no
// file is moved away, so that it counts as missing.
func (m *mender) segments(dir string) ([]int, error) {
	entries, err := m.folder(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil && !e.Type().IsRegular() {
			if err := m.moveAside(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return segmentsOf(dir)
}

// segmentsOf lists the numbers of a log's segments, ascending.
func segmentsOf(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var out []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && !e.IsDir() {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

func segmentName(n int) string { return fmt.Sprintf("%08d", n) }
