package events

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store/events/roster"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// Something else under a name that the store needs: it starts, the rest is there, and what was set aside is named.
func TestAFolderWhereAFileBelongsAndTheOtherWayRoundNeverStopsTheStart(t *testing.T) {
	original := t.TempDir()
	rows := furnish(t, original)
	segments, _ := filepath.Glob(filepath.Join(original, "wal", "*"))
	segment, _ := filepath.Rel(original, segments[0])
	toFolder := func(path string) error {
		return errors.Join(os.RemoveAll(path), os.MkdirAll(filepath.Join(path, "x"), 0o700))
	}
	toFile := func(path string) error {
		return errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte("x"), 0o600))
	}
	for _, c := range []struct {
		file   string
		damage func(string) error
		kept   string // rows that must be there
	}{
		{"LOCK", toFolder, "wal"},
		{wal.AckedName, toFolder, "wal"},
		{roster.Name, toFolder, "early"},
		{segment, toFolder, "early"},
		{"wal", toFile, "early"},
		{"quarantine", toFile, "wal"},
		{"logs", toFile, "wal"},
		{"spans", toFile, "wal"},
		{"logs/2026-01-01", toFile, "wal"},
	} {
		t.Run(c.file, func(t *testing.T) {
			dir := t.TempDir()
			if err := errors.Join(os.CopyFS(dir, os.DirFS(original)), c.damage(filepath.Join(dir, c.file))); err != nil {
				t.Fatal(err)
			}
			db := open(t, DefaultConfig(), Deps{Dir: dir})
			got := read(t, db)
			for _, want := range rows[c.kept] {
				if _, ok := got[want.RequestID]; !ok {
					t.Fatalf("row %s of %s is lost", want.RequestID, c.kept)
				}
			}
			if len(db.Damages()) == 0 {
				t.Error("nothing is named")
			}
			for _, d := range db.Damages() {
				if p := d.Problem(); p.Message == "" || p.Cure == "" {
					t.Errorf("problem %+v", p)
				}
			}
			appendLogs(t, db, lines("after", 3, noon))
		})
	}
}

// What a crash tore off was never acknowledged: that is no damage.
func TestATornEndThatWasNotAcknowledgedIsNoDamage(t *testing.T) {
	dir := t.TempDir()
	rows := furnish(t, dir)
	segments, _ := filepath.Glob(filepath.Join(dir, "wal", "*"))
	f, err := os.OpenFile(segments[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("SBR1\xff\xff"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for range 2 {
		db := open(t, DefaultConfig(), Deps{Dir: dir})
		if n := len(read(t, db)); n < len(rows["wal"]) || len(db.Damages()) != 0 {
			t.Errorf("%d rows, damages %+v", n, db.Damages())
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
