package pagesum

import (
	"errors"
	"os"
)

// Mend puts a page right of which one byte changed: a checksum tells which byte it must have been, because
// every single change moves it differently. false says that more than that changed. The page is written
// back to the file and synced.
func Mend(db, sums string, page uint32) (mended bool, err error) {
	text, err := os.ReadFile(sums)
	if err != nil {
		return false, ErrNoSums
	}
	size, want, err := decode(text)
	if err != nil {
		return false, err
	}
	if page == 0 || int(page) > len(want) || size == 0 {
		return false, nil
	}
	f, err := os.OpenFile(db, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content := make([]byte, size)
	start := int64(page-1) * int64(size)
	if _, err := f.ReadAt(content, start); err != nil {
		return false, nil // a page that ends early changed by more than a byte
	}
	at, flip, ok := locate(content, want[page-1])
	if !ok {
		return false, nil
	}
	if _, err := f.WriteAt([]byte{content[at] ^ flip}, start+int64(at)); err != nil {
		return false, err
	}
	return true, f.Sync()
}

// locate finds the one byte whose change explains a checksum. A CRC is linear: the difference of two checksums is
// that of the difference of the contents, whatever else they hold. All places and changes are tried from the end on,
// each step of a place being one more zero byte after the change.
func locate(content []byte, want uint32) (at int, flip byte, ok bool) {
	tab := table()
	difference := checksum(content) ^ want
	if difference == 0 {
		return 0, 0, false
	}
	var states [256]uint32
	for v := range states {
		states[v] = tab[v]
	}
	for at = len(content) - 1; at >= 0; at-- {
		for v := 1; v < len(states); v++ {
			if states[v] == difference {
				return at, byte(v), true
			}
			states[v] = tab[byte(states[v])] ^ states[v]>>8
		}
	}
	return 0, 0, false
}

// PageSize is what a database's header says; 0 if it is none.
func PageSize(db string) uint32 {
	f, err := os.Open(db)
	if err != nil {
		return 0
	}
	defer f.Close()
	head := make([]byte, 18)
	if _, err := f.ReadAt(head, 0); err != nil {
		return 0
	}
	return pageSize(head)
}
