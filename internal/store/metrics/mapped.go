package metrics

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// beginMapped makes the TSDB begin its first file of mapped chunks now, with a chunk that no reader takes, while nobody else writes
// or truncates. Left to itself it begins that file with the first chunk that it moves out of memory, and where a truncation runs
// beside that (a compaction while late samples come), ChunkDiskMapper.Truncate takes the list of files from before for
// "all files are deleted", and counts from one again. The next file then has another number than the chunk
// that is to be written to it, and the TSDB panics in the middle of a commit, with a series locked for good. A mapper that
// has begun a file since it was opened never finds all files deleted.
//
// The mapper is a field of the TSDB's head that has no other way in; a TSDB where it is elsewhere is an error.
func beginMapped(db *tsdb.DB) error {
	field := reflect.ValueOf(db.Head()).Elem().FieldByName("chunkDiskMapper")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*chunks.ChunkDiskMapper]() {
		return errors.New("this release of the TSDB keeps its mapped chunks elsewhere")
	}
	var failed error
	mapper := (*chunks.ChunkDiskMapper)(field.UnsafePointer())
	mapper.WriteChunk(0, 1, 1, &unread{}, false, func(err error) { failed = err }) // times of 0 would be the end of the file
	if failed != nil {
		return fmt.Errorf("begin a file of mapped chunks: %w", failed)
	}
	return nil
}

// unread is a chunk without samples in no encoding, which whoever reads mapped chunks passes over (tsdb.Head.loadMmappedChunks,
// and mend, which removes it at the next start).
type unread struct{ chunkenc.XORChunk }

// Encoding is none.
func (*unread) Encoding() chunkenc.Encoding { return chunkenc.EncNone }

// Bytes is the number of samples in two bytes, as of any chunk.
func (*unread) Bytes() []byte { return []byte{0, 0} }
