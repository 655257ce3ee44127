package mend

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// span is a piece of a file.
type span struct{ from, to int }

// mappedContent is what the chunks of a file of mapped chunks are.
type mappedContent struct {
	inOrder []span // neighbours are one
	spare   int    // chunks that nobody needs
}

func (c *mappedContent) add(from, to int, spare bool) {
	switch n := len(c.inOrder); {
	case spare:
		c.spare++
	case n > 0 && c.inOrder[n-1].to == from:
		c.inOrder[n-1].to = to
	default:
		c.inOrder = append(c.inOrder, span{from, to})
	}
}

// size is how many bytes of a file are chunks in order.
func (c *mappedContent) size() (sum int) {
	if c != nil {
		for _, p := range c.inOrder {
			sum += p.to - p.from
		}
	}
	return sum
}

const (
	unmapSuffix = ".kept"

	// Each start begins a new file of mapped chunks. More than mostMapped, of less than smallMapped bytes each,
	// are what kills in a row leave, and every start opens and maps all of them.
	mostMapped  = 200
	smallMapped = 64 << 10
)

// unmapLate takes the chunks of late samples out of the files of mapped chunks: their log has all of them. Files of no others go.
func (m *mender) unmapLate() error {
	dir := filepath.Join(m.dir, "chunks_head")
	leftovers, _ := filepath.Glob(filepath.Join(dir, "*"+unmapSuffix))
	for _, path := range leftovers {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove an unfinished file of mapped chunks: %w", err)
		}
	}
	numbers, err := m.plainFiles(dir)
	if err != nil {
		return err
	}
	// The TSDB wants the numbers without a gap: files go at both ends only.
	only := func(n int) bool { c := m.mapped.files[n]; return c != nil && len(c.inOrder) == 0 }
	for len(numbers) > 0 && only(numbers[0]) {
		if err := os.Remove(filepath.Join(dir, mappedName(numbers[0]))); err != nil {
			return fmt.Errorf("remove mapped chunks: %w", err)
		}
		numbers = numbers[1:]
	}
	for _, n := range slices.Backward(numbers) {
		if !only(n) {
			break
		}
		if err := os.Remove(filepath.Join(dir, mappedName(n))); err != nil {
			return fmt.Errorf("remove mapped chunks: %w", err)
		}
		numbers = numbers[:len(numbers)-1]
	}
	left := 0
	for _, n := range numbers {
		c := m.mapped.files[n]
		if c != nil && c.spare > 0 {
			if err := keepSpans(filepath.Join(dir, mappedName(n)), c.inOrder); err != nil {
				return fmt.Errorf("take late samples out of mapped chunks: %w", err)
			}
		}
		left += c.size()
	}
	if len(numbers) > mostMapped && left < len(numbers)*smallMapped {
		m.log.Info("mapped chunks are in many small files; they are made again from the log", "files", len(numbers), "bytes", left)
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove mapped chunks: %w", err)
		}
		return m.dropSnapshots("mapped chunks that it relies on are made again")
	}
	return nil
}

// keepSpans writes a file anew with its header and only some of its pieces.
func keepSpans(path string, pieces []span) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path+unmapSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640) //nolint:gosec // as the TSDB makes them
	if err != nil {
		return err
	}
	for _, p := range append([]span{{0, mappedHeader}}, pieces...) {
		_, cerr := io.Copy(out, io.NewSectionReader(in, int64(p.from), int64(p.to-p.from)))
		err = errors.Join(err, cerr)
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(path+unmapSuffix, path)
}
