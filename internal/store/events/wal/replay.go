package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/s2"

	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
)

// Extent is a range of bytes [From, To) of a segment file.
type Extent struct{ From, To int64 }

// Report tells what a replay found.
type Report struct {
	Records int   // given to the caller
	Size    int64 // of the file
	// Torn is the number of bytes at the end that a crash cut off; 0 if none.
	Torn int64
	// Damaged are the places that were skipped.
	Damaged []Extent
	// Kept is how the segment stands on the disk.
	Kept cipherfile.Kept

	head int64 // bytes before the first record
}

// Intact is how much of the file is there, as Acked counts it.
func (rep Report) Intact() int64 { return rep.Size - rep.Torn - max(0, rep.head-EmptySize) }

// maxDecoded bounds what one record may grow to when it is decompressed.
const maxDecoded = 4 << 30

// Replay gives every intact payload of a segment file to fn, in order. fn
// returns an error when it cannot decode the payload: that record counts as
// damaged. The payload is fn's to keep. An error of Replay itself means that the file cannot be
// read, or that its key is not there.
func Replay(keys *cipherfile.Keys, path string, fn func(payload []byte) error) (Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Report{}, fmt.Errorf("replay %s: %w", path, err)
	}
	rep, err := replay(keys, filepath.Base(path), data, fn)
	if err != nil {
		return Report{}, fmt.Errorf("replay %s: %w", path, err)
	}
	return rep, nil
}

func replay(keys *cipherfile.Keys, name string, data []byte, fn func([]byte) error) (Report, error) {
	head, key, err := keys.Records(data, name)
	switch {
	case errors.Is(err, cipherfile.ErrDamaged):
		return lost(data, err), nil
	case err != nil:
		return Report{}, err
	}
	rep := Report{Size: int64(len(data)), Kept: cipherfile.Kept{Current: !keys.Encrypts()}, head: int64(head)}
	if key != nil {
		rep.Kept = key.Kept
	} else if bytes.HasPrefix(data, []byte(segmentMagic)) {
		rep.head = EmptySize
	}
	rep.each(data, func(body []byte) error {
		if body, err = key.Open(body); err != nil {
			return err
		}
		return deliver(body, fn)
	})
	return rep, nil
}

// lost is a segment whose header says by what key it opens no more. One that was cut off within the header never held a record.
func lost(data []byte, err error) Report {
	rep := Report{Size: int64(len(data)), Kept: cipherfile.Kept{Encrypted: true}}
	if errors.Is(err, cipherfile.ErrCutOff) {
		rep.Torn = rep.Size
		return rep
	}
	rep.Damaged = []Extent{{From: 0, To: rep.Size}}
	return rep
}

// each gives every intact record to deliver.
func (rep *Report) each(data []byte, deliver func([]byte) error) {
	pos := int(rep.head)
	for pos < len(data) {
		body, ok := record(data[pos:])
		if !ok {
			next := nextRecord(data, pos)
			if next < 0 {
				rep.end(data, pos)
				return
			}
			rep.Damaged = append(rep.Damaged, Extent{From: int64(pos), To: int64(next)})
			pos = next
			continue
		}
		end := pos + recordHeader + len(body)
		if err := deliver(body); err != nil {
			rep.Damaged = append(rep.Damaged, Extent{From: int64(pos), To: int64(end)})
		} else {
			rep.Records++
		}
		pos = end
	}
}

// record is the body of the intact record at the beginning of b.
func record(b []byte) (body []byte, ok bool) {
	if len(b) < recordHeader || string(b[:len(recordMagic)]) != recordMagic {
		return nil, false
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if uint64(n) > uint64(len(b)-recordHeader) {
		return nil, false
	}
	body = b[recordHeader : recordHeader+int(n)]
	return body, recordCRC(b[4:8], body) == binary.LittleEndian.Uint32(b[8:])
}

// nextRecord finds the first intact record after pos; -1 if there is none.
func nextRecord(data []byte, pos int) int {
	for from := pos + 1; from < len(data); {
		i := bytes.Index(data[from:], []byte(recordMagic))
		if i < 0 {
			return -1
		}
		if _, ok := record(data[from+i:]); ok {
			return from + i
		}
		from += i + 1
	}
	return -1
}

// end judges what follows the last intact record. A crash leaves a record cut
// off, or zeros where the file had grown already; anything else is damage.
func (rep *Report) end(data []byte, pos int) {
	rest := data[pos:]
	cut := len(rest) < recordHeader || len(bytes.TrimLeft(rest, "\x00")) == 0 ||
		string(rest[:len(recordMagic)]) == recordMagic && uint64(binary.LittleEndian.Uint32(rest[4:])) > uint64(len(rest)-recordHeader)
	if cut {
		rep.Torn = int64(len(rest))
		return
	}
	rep.Damaged = append(rep.Damaged, Extent{From: int64(pos), To: int64(len(data))})
}

func deliver(body []byte, fn func([]byte) error) error {
	n, err := s2.DecodedLen(body)
	if err != nil {
		return err
	}
	// S2 cannot shrink below about 1:2^21 per copy, but a forged length would allocate.
	if n > maxDecoded || n > 1<<20 && n/len(body) > 1<<16 {
		return errors.New("record: implausible length")
	}
	payload, err := s2.Decode(nil, body)
	if err != nil {
		return err
	}
	return fn(payload)
}
