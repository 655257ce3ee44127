package pagesum

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite" // the database that is summed up
)

func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// database makes one with rows on some pages, its log folded in.
func database(t *testing.T) (db *sql.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=wal_autocheckpoint(0)")
	do(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	run(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
	for range 40 {
		run(t, db, "INSERT INTO t (text) VALUES (hex(randomblob(400)))")
	}
	run(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	return db, path
}

func run(t *testing.T, db *sql.DB, q string) {
	t.Helper()
	_, err := db.Exec(q)
	do(t, err)
}

func TestEveryChangedPageIsNamed(t *testing.T) {
	_, path := database(t)
	sums := path + ".sums"
	do(t, Write(path, sums))
	whole, err := os.ReadFile(path)
	do(t, err)
	if bad, err := Check(path, sums, path+"-wal"); err != nil || bad != nil {
		t.Fatalf("untouched: %v, %v", bad, err)
	}
	for _, at := range []int{0, 50, 5000, len(whole)/2 + 7, len(whole) - 1} {
		b := slices.Clone(whole)
		b[at] ^= 0x20
		do(t, os.WriteFile(path, b, 0o600))
		bad, err := Check(path, sums, path+"-wal")
		if want := uint32(at/4096 + 1); err != nil || at > 15 && !slices.Equal(bad, []uint32{want}) || len(bad) == 0 {
			t.Errorf("byte %d: pages %v, %v, want %d", at, bad, err, want)
		}
	}
	do(t, os.WriteFile(path, whole[:len(whole)-4096], 0o600))
	if bad, err := Check(path, sums, path+"-wal"); err != nil || len(bad) != 1 {
		t.Errorf("cut by a page: %v, %v", bad, err)
	}
}

func TestPagesInTheLogAreLeftToIt(t *testing.T) {
	db, path := database(t)
	sums, wal := path+".sums", path+"-wal"
	do(t, Write(path, sums))
	run(t, db, "UPDATE t SET text = 'new' WHERE id = 20")
	logged, err := os.ReadFile(wal)
	do(t, err)
	if n := len(LogPages(logged)); n == 0 || n != (len(logged)-32)/(24+4096) {
		t.Fatalf("%d pages in a log of %d bytes", n, len(logged))
	}
	// A kill after the database took the pages over, before they were summed up again.
	run(t, db, "PRAGMA wal_checkpoint(PASSIVE)")
	if bad, err := Check(path, sums, wal); err != nil || bad != nil {
		t.Errorf("pages of the log: %v, %v", bad, err)
	}
	if bad, _ := Check(path, sums, wal+".none"); len(bad) != 1 {
		t.Errorf("without the log: %v, want the one page", bad)
	}
	logged[40] ^= 1
	if n := len(LogPages(logged)); n != 0 {
		t.Errorf("%d pages after a damaged first frame", n)
	}
}

func TestDamagedSumsAreNoSums(t *testing.T) {
	_, path := database(t)
	sums := path + ".sums"
	do(t, Write(path, sums))
	whole, err := os.ReadFile(sums)
	do(t, err)
	for at := range whole {
		b := slices.Clone(whole)
		b[at] ^= 0x55
		do(t, os.WriteFile(sums, b, 0o600))
		if _, err := Check(path, sums, path+"-wal"); !errors.Is(err, ErrNoSums) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	do(t, os.WriteFile(sums, whole[:len(whole)/2], 0o600))
	if _, err := Check(path, sums, path+"-wal"); !errors.Is(err, ErrNoSums) {
		t.Errorf("cut: %v", err)
	}
}

// Every byte of a page, and every way it can change.
func TestOneChangedByteIsPutRight(t *testing.T) {
	_, path := database(t)
	sums := path + ".sums"
	do(t, Write(path, sums))
	whole, err := os.ReadFile(path)
	do(t, err)
	for i := range 60 {
		at := i * (len(whole) - 1) / 59
		b := slices.Clone(whole)
		b[at] ^= byte(1 + i*4)
		do(t, os.WriteFile(path, b, 0o600))
		mended, err := Mend(path, sums, uint32(at/4096+1))
		do(t, err)
		if got, _ := os.ReadFile(path); !mended || !slices.Equal(got, whole) {
			t.Fatalf("byte %d of page %d is not put right (%t)", at%4096, at/4096+1, mended)
		}
	}
	b := slices.Clone(whole)
	b[5000] ^= 1
	b[5900] ^= 3
	do(t, os.WriteFile(path, b, 0o600))
	if mended, err := Mend(path, sums, 2); mended || err != nil {
		t.Errorf("two changed bytes: %t, %v", mended, err)
	}
	if got, _ := os.ReadFile(path); !slices.Equal(got, b) {
		t.Error("what cannot be put right was changed")
	}
}

func FuzzLogPages(f *testing.F) {
	f.Add([]byte("\x37\x7f\x06\x82"), []byte(Magic))
	f.Fuzz(func(t *testing.T, wal, sums []byte) {
		if n := len(LogPages(wal)); n > len(wal)/(24+512) {
			t.Errorf("%d pages", n)
		}
		if _, list, err := decode(sums); err == nil && len(list) > len(sums)/4 {
			t.Errorf("%d sums", len(list))
		}
	})
}
