package spare_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store/metrics/spare"
)

// folder has a log of 3 MiB and everything that can be made again from it.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, size := range map[string]int{"wal/00000000": 2 << 20, "wbl/00000000": 1 << 20, "chunks_head/000001": 10, "chunk_snapshot.000001.0000000001/00000000": 10, spare.Name: 10, "01H/index": 10} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func left(dir string) string {
	var out []string
	for _, name := range []string{spare.Name, "chunk_snapshot.000001.0000000001", "chunks_head/000001", "wal/00000000", "wbl/00000000", "01H/index"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			out = append(out, strings.Split(name, "/")[0])
		}
	}
	return strings.Join(out, " ")
}

// What costs least goes first, and no more than is needed.
func TestRoomIsMadeInOrder(t *testing.T) {
	const all = "SPARE chunk_snapshot.000001.0000000001 chunks_head wal wbl 01H"
	for _, c := range []struct {
		name string
		free []uint64 // at each look, in MiB
		want string
		away bool
		fail bool
	}{
		{name: "there is room", free: []uint64{4}, want: all},
		{name: "what was set aside is enough", free: []uint64{3, 4}, want: strings.TrimPrefix(all, "SPARE ")},
		{name: "the snapshot is enough", free: []uint64{0, 0, 4}, want: "chunks_head wal wbl 01H"},
		{name: "old chunks are enough", free: []uint64{0, 0, 0, 4}, want: "wal wbl 01H"},
		{name: "another disk has room", free: []uint64{0, 0, 0, 0, 100}, want: "wal wbl 01H", away: true},
		{name: "nothing has", free: []uint64{0, 0, 0, 0, 60}, want: "wal wbl 01H", fail: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			looks := 0
			d := &spare.Disk{Dir: folder(t), Log: slog.New(slog.DiscardHandler), Others: []string{t.TempDir()}, Free: func(string) (uint64, error) {
				looks++
				return c.free[min(looks, len(c.free))-1] << 20, nil
			}}
			err := d.AtStart()
			if (err != nil) != c.fail || c.fail && (!strings.Contains(err.Error(), d.Dir) || !strings.Contains(err.Error(), "TMPDIR")) {
				t.Errorf("error %v", err)
			}
			if got := left(d.Dir); got != c.want {
				t.Errorf("left: %s, want %s", got, c.want)
			}
			if away := d.Away(); (away != "") != c.away {
				t.Errorf("mapped chunks are in %q", away)
			}
		})
	}
}

// The next start takes mapped chunks back, with the snapshot that relies on them, and leaves what others linked.
func TestTheNextStartNeedsNoOtherDisk(t *testing.T) {
	dir, other := folder(t), t.TempDir()
	plenty := func(string) (uint64, error) { return 1 << 40, nil }
	d := &spare.Disk{Dir: dir, Log: slog.New(slog.DiscardHandler), Free: plenty}
	link := filepath.Join(dir, "chunks_head")
	for _, target := range []string{"signalbox-chunks-1", "mine"} {
		target := filepath.Join(other, target)
		for _, err := range []error{os.RemoveAll(link), os.Mkdir(target, 0o750), os.Symlink(target, link)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.AtStart(); err != nil || !strings.Contains(left(dir), "chunk_snapshot") {
		t.Errorf("%v, left %s", err, left(dir))
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(other, "signalbox-chunks-1"), link); err != nil {
		t.Fatal(err)
	}
	if err := d.AtStart(); err != nil || strings.Contains(left(dir), "chunk") {
		t.Errorf("%v, left %s", err, left(dir))
	}
	if found, _ := filepath.Glob(filepath.Join(other, "*")); len(found) != 1 || filepath.Base(found[0]) != "mine" {
		t.Errorf("on the other disk: %v", found)
	}
}

func TestRoomIsSetAsideWhileThereIsMuch(t *testing.T) {
	d := &spare.Disk{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	path := filepath.Join(d.Dir, spare.Name)
	d.Keep(2*spare.Bytes+9, 10)
	if _, err := os.Stat(path); err == nil {
		t.Error("set aside from what is needed")
	}
	d.Keep(2*spare.Bytes+10, 10)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != spare.Bytes && info.Size() != 0 { // a file system without reservations
		t.Errorf("%d bytes are set aside", info.Size())
	}
	d.Release()
	if _, err := os.Stat(path); err == nil {
		t.Error("it is still there")
	}
}
