package past

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var runs atomic.Int64

// open opens a log a second after the one before.
func open(t *testing.T, dir string) *Log {
	t.Helper()
	now := noon.Add(time.Duration(runs.Add(1)) * time.Second)
	l := Open(dir, nil, func() time.Time { return now }, (*os.File).Sync)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// put commits samples of metrics, so many hours before noon.
func put(l *Log, hours int, metrics ...string) {
	b := l.Batch()
	for _, m := range metrics {
		b.Add(noon.Add(-time.Duration(hours)*time.Hour+time.Minute).UnixMilli(), m)
	}
	l.Note(b)
	l.Tell(b)
}

// said lists hours before noon, and which of the metrics a and b they may have.
func said(hours []store.ChangedHour) (out string) {
	for _, h := range hours {
		out += fmt.Sprintf("%g", noon.Sub(h.Start).Hours())
		for _, m := range []string{"a", "b"} {
			if h.Names.May(m) {
				out += m
			}
		}
		out += " "
	}
	return out
}

func known(l *Log) (out string, since uint64) {
	changes, since, last := l.Reader().Known()
	for _, c := range changes {
		if c.Number <= since || c.Number > last {
			out += "number! "
		}
		out += said(c.Hours)
	}
	return out, since
}

func TestReadersAreToldOnceAndTheNextRunAll(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	one, two := l.Reader(), l.Reader()
	put(l, 3, "a", "b")
	put(l, 5, "a")
	put(l, 3, "a")
	hours, first := one.Changed()
	if got := said(hours); got != "5a 3ab " {
		t.Errorf("told %q", got)
	}
	if again, same := one.Changed(); again != nil || same != first {
		t.Errorf("again %v, %d after %d", again, same, first)
	}
	put(l, 3, "a")
	if hours, next := one.Changed(); said(hours) != "3a " || next <= first {
		t.Errorf("then %q, %d after %d", said(hours), next, first)
	}
	if hours, _ := two.Changed(); said(hours) != "5a 3ab " {
		t.Errorf("the other was told %q", said(hours))
	}
	// What came before anybody asked again stands there once.
	if got, _ := known(l); got != "3ab 5a 3a " {
		t.Errorf("known %q", got)
	}
	_, before := known(l)
	if got, since := known(open(t, dir)); got != "3ab 5a 3a " || since != before {
		t.Errorf("in the next run %q since %d, was %d", got, since, before)
	}
}

func TestSpansAndTimesBefore1970(t *testing.T) {
	l := open(t, t.TempDir())
	r := l.Reader()
	b := l.Batch()
	b.Span(noon.Add(-5*time.Hour).UnixMilli(), noon.Add(-3*time.Hour).UnixMilli(), "a")
	b.Span(noon.Add(-4*time.Hour).UnixMilli(), noon.Add(-4*time.Hour).UnixMilli())
	l.Note(b)
	l.Tell(b)
	if hours, _ := r.Changed(); said(hours) != "5a 4ab 3a " {
		t.Errorf("%q", said(hours))
	}
	if got, _ := known(l); got != "5a 4a 3a 4ab " {
		t.Errorf("%q", got)
	}
	b = l.Batch()
	b.Add(-1, "a")
	l.Note(b)
	l.Tell(b)
	if hours, _ := r.Changed(); len(hours) != 1 || !hours[0].Start.Equal(time.Unix(-3600, 0)) {
		t.Errorf("%v", hours)
	}
}

// While a batch is under way, nobody may say that he knows of it, though another with the same hour is committed.
func TestANumberSaysNothingOfWhatIsUnderWay(t *testing.T) {
	l := open(t, t.TempDir())
	r := l.Reader()
	_, start := r.Changed()
	slow := l.Batch()
	slow.Add(noon.UnixMilli(), "a")
	l.Note(slow)
	put(l, 0, "a")
	hours, number := r.Changed()
	if len(hours) != 1 || number > start {
		t.Fatalf("%v, number %d after %d", hours, number, start)
	}
	again := l.Batch()
	again.Add(noon.UnixMilli(), "a")
	l.Note(again)
	l.Tell(slow)
	if _, n := r.Changed(); n < number {
		t.Errorf("numbers go back: %d after %d", n, number)
	}
	l.Tell(again)
	hours, last := r.Changed()
	changes, _, newest := r.Known()
	if len(hours) != 1 || last != newest || changes[len(changes)-1].Number != last {
		t.Errorf("%v, %d of %d", hours, last, newest)
	}
}

// Whatever happens to the file, the next run does not take for whole what is not.
func TestADamagedFileSaysThatItKnowsNothing(t *testing.T) {
	for name, damage := range map[string]func(text []byte) []byte{
		"none":                func(text []byte) []byte { return text },
		"empty":               func([]byte) []byte { return nil },
		"cut in the head":     func(text []byte) []byte { return text[:10] },
		"cut in a record":     func(text []byte) []byte { return text[:len(text)-1] },
		"a byte of the head":  func(text []byte) []byte { text[9] ^= 1; return text },
		"a byte of a record":  func(text []byte) []byte { text[len(text)-2] ^= 1; return text },
		"a length":            func(text []byte) []byte { text[len(magic)+12] ^= 0x40; return text },
		"something behind it": func(text []byte) []byte { return append(text, 0) },
		"an endless record":   func(text []byte) []byte { return binary.LittleEndian.AppendUint32(text, 1<<31) },
		"a checksum that fits nonsense": func(text []byte) []byte {
			body := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
			text = binary.LittleEndian.AppendUint32(text, uint32(len(body)))
			return append(binary.LittleEndian.AppendUint32(text, castagnoli(body)), body...)
		},
	} {
		dir := t.TempDir()
		l := open(t, dir)
		put(l, 3, "a")
		_, heard := l.Reader().Changed()
		put(l, 4, "b")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, Name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, damage(text), 0o600); err != nil {
			t.Fatal(err)
		}
		next := open(t, dir)
		got, since := known(next)
		if name == "none" {
			if got != "3a 4b " || since > heard {
				t.Errorf("%q since %d", got, since)
			}
			continue
		}
		if got != "" || since <= heard {
			t.Errorf("%s: known %q since %d, though up to %d was heard before", name, got, since, heard)
		}
		put(next, 6, "a")
		if got, _ := known(open(t, dir)); got != "6a " {
			t.Errorf("%s: later %q", name, got)
		}
	}
}

// A full file forgets its older half, and says so.
func TestTheFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	r := l.Reader()
	_, begin := r.Changed()
	names := make([]string, 400)
	for i := range names {
		names[i] = fmt.Sprint("metric_", i)
	}
	for i := range 4000 {
		put(l, i%20, names...)
		r.Changed()
	}
	info, err := os.Stat(filepath.Join(dir, Name))
	if err != nil || info.Size() > maxBytes || info.Size() < maxBytes/4 {
		t.Fatalf("%v %v", info, err)
	}
	changes, since, last := open(t, dir).Reader().Known()
	if since <= begin || len(changes) == 0 || changes[0].Number <= since || changes[len(changes)-1].Number != last {
		t.Errorf("%d changes since %d up to %d", len(changes), since, last)
	}
}

// Without a file nothing is promised to the next run, and all is told in this one; when the disk takes it again, it begins anew.
func TestADiskThatTakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	l := open(t, dir)
	r := l.Reader()
	put(l, 3, "a")
	if hours, _ := r.Changed(); said(hours) != "3a " {
		t.Errorf("%q", said(hours))
	}
	if err := l.Sync(); err != nil {
		t.Error(err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	_, heard := r.Changed()
	put(l, 4, "a")
	put(l, 5, "b")
	if got, since := known(open(t, dir)); since < heard || got != "5b " {
		t.Errorf("%q since %d, heard up to %d", got, since, heard)
	}
}

func TestWhatIsNotedIsSyncedOnce(t *testing.T) {
	synced, failure := 0, error(nil)
	l := Open(t.TempDir(), nil, time.Now, func(*os.File) error { synced++; return failure })
	defer l.Close()
	for range 2 {
		put(l, 3, "a")
		if err := errors.Join(l.Sync(), l.Sync()); err != nil {
			t.Error(err)
		}
	}
	if synced != 1 {
		t.Errorf("%d syncs, want one: the second time nothing new was written", synced)
	}
	failure = errors.New("broken")
	put(l, 4, "a")
	if err := l.Sync(); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
}

func TestAddingTakesNoMemory(t *testing.T) {
	l := open(t, t.TempDir())
	b := l.Batch()
	b.Add(noon.UnixMilli(), "a")
	if n := testing.AllocsPerRun(1000, func() { b.Add(noon.UnixMilli(), "another") }); n > 0 {
		t.Errorf("%v allocations for a sample", n)
	}
}

func TestManyAtOnce(t *testing.T) {
	l := open(t, t.TempDir())
	r := l.Reader()
	told := make([]map[string]bool, 4)
	var all sync.WaitGroup
	for w := range told {
		told[w] = map[string]bool{}
		all.Go(func() {
			for i := range 100 {
				put(l, i%7, fmt.Sprint("m", w))
				_ = l.Sync()
				hours, _ := r.Changed()
				for _, h := range hours {
					told[w][said([]store.ChangedHour{h})] = true
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, some := range told {
		for k := range some {
			seen[k] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("%v", seen)
	}
}
