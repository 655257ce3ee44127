package part

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// WriteLogs seals a snapshot: it writes the pair into the day folder dir and opens it. The
// snapshot MUST NOT be empty. After an error the part does not exist, unless the disk refuses
// to remove what was written as well.
func WriteLogs(fs disk.FS, dir string, l *head.Logs, opt Options) (*Part, error) {
	return write(fs, dir, logsTable(l), logsColumns(l), opt)
}

// WriteSpans is WriteLogs for spans.
func WriteSpans(fs disk.FS, dir string, s *head.Spans, opt Options) (*Part, error) {
	return write(fs, dir, spansTable(s), spansColumns(s), opt)
}

func write(fs disk.FS, dir string, t *table, cols columns, opt Options) (*Part, error) {
	file, x, err := encodeTable(t, cols, opt)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, Name(x.MinTime, x.MaxTime, opt.ID))
	if err := fs.MkdirAll(dir); err != nil {
		return nil, err
	}
	if err := fs.SyncDir(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	if err := publishPair(fs, opt.Keys, path, x.encode(), file); err != nil {
		return nil, errors.Join(err, unpublish(fs, path))
	}
	p, err := Open(opt.Keys, path)
	if err != nil {
		return nil, errors.Join(err, unpublish(fs, path))
	}
	return p, nil
}

func publishPair(fs disk.FS, keys *cipherfile.Keys, path string, index, rows []byte) error {
	if err := publish(fs, keys, path+IndexExt, index); err != nil {
		return err
	}
	return publish(fs, keys, path+RowsExt, rows)
}

// publish writes a file as its content is to be kept.
func publish(fs disk.FS, keys *cipherfile.Keys, path string, content []byte) error {
	kept, err := keys.Make(filepath.Base(path), content)
	if err != nil {
		return err
	}
	return disk.Publish(fs, path, kept)
}

// unpublish removes a pair that its caller believes was not written: names may stand also after an
// error, that of the last sync for example. An index that stays tells of lost rows, and rows
// that stay come twice, when a second attempt under another id holds them as well.
func unpublish(fs disk.FS, path string) error {
	var errs []error
	for _, ext := range [...]string{IndexExt, RowsExt} {
		if err := fs.Remove(path + ext); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Anew writes a pair anew as its files are made now, and opens it. Their content stays what it was: a crash leaves one
// file as before, which is read as well, and who has them open reads on.
func Anew(fs disk.FS, keys *cipherfile.Keys, path string) (*Part, error) {
	for _, ext := range [...]string{IndexExt, RowsExt} {
		content, err := keys.ReadFile(path + ext)
		if err != nil {
			return nil, err
		}
		if err := publish(fs, keys, path+ext, content); err != nil {
			return nil, err
		}
	}
	return Open(keys, path)
}

// Rebuild writes a part's lost or damaged index anew from its Parquet file and
// opens the part. It reads all rows: about 0.1 s for 64 k of them.
func Rebuild(fs disk.FS, keys *cipherfile.Keys, path string) (*Part, error) {
	rows, err := readFile(keys, path+RowsExt)
	if err != nil {
		return nil, err
	}
	t, opt, err := tableOf(rows)
	if err != nil {
		return nil, fmt.Errorf("rebuild index of %s: %w: %w", path+RowsExt, ErrDamaged, err)
	}
	x := t.index(opt)
	x.Promoted = rows.promoted
	if err := x.describe(rows.data); err != nil {
		return nil, fmt.Errorf("rebuild index of %s: %w: %w", path+RowsExt, ErrDamaged, err)
	}
	if err := os.Remove(path + IndexExt); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := publish(fs, keys, path+IndexExt, x.encode()); err != nil {
		return nil, err
	}
	return Open(keys, path)
}

// wholeFile is a Parquet file in memory.
type wholeFile struct {
	data     []byte
	rows     *parquet.File
	promoted []Promoted
	opt      Options
	signal   Signal
}

func readFile(keys *cipherfile.Keys, path string) (*wholeFile, error) {
	data, err := keys.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w, err := parseFile(data)
	if err != nil {
		return nil, fmt.Errorf("rows %s: %w: %w", path, ErrDamaged, err)
	}
	return w, nil
}

func parseFile(data []byte) (w *wholeFile, err error) {
	defer recoverDamage(&err)
	rows, err := openRows(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	w = &wholeFile{data: data, rows: rows}
	if v, _ := rows.Lookup(keyFormat); v != formatVersion {
		return nil, fmt.Errorf("format %q is not ours", v)
	}
	if w.promoted, err = promotedOf(rows.Root()); err != nil {
		return nil, err
	}
	id, _ := rows.Lookup(keyID)
	if w.opt.ID, err = strconv.ParseUint(id, 10, 64); err != nil {
		return nil, err
	}
	segments, _ := rows.Lookup(keySegments)
	if w.opt.Segments, err = parseIDs(segments); err != nil {
		return nil, err
	}
	replaces, _ := rows.Lookup(keyReplaces)
	w.opt.Replaces = strings.Fields(replaces)
	if rows.Schema().Name() == "span" {
		w.signal = Spans
	}
	return w, nil
}

// recoverDamage turns a panic of the Parquet library on damaged input into an error.
func recoverDamage(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}
}
