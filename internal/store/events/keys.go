package events

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// openKeys makes what files are opened and encrypted by.
func (db *DB) openKeys(sealer seal.Sealer) (err error) {
	if sealer == nil {
		sealer = seal.Plain{}
	}
	if db.keys, err = cipherfile.New(sealer, db.cfg.Encrypt); err != nil {
		return fmt.Errorf("events.encrypt: %w", err)
	}
	return nil
}

// checkKeys refuses a store of which a file is encrypted by a key that is not there. What is damaged is not judged here.
func (db *DB) checkKeys() error {
	var g errgroup.Group
	g.SetLimit(4)
	for _, pattern := range []string{
		filepath.Join(db.walDir(), "*"+wal.Ext),
		filepath.Join(db.logs.dir, "*", "*"+part.IndexExt), filepath.Join(db.logs.dir, "*", "*"+part.RowsExt),
		filepath.Join(db.spans.dir, "*", "*"+part.IndexExt), filepath.Join(db.spans.dir, "*", "*"+part.RowsExt),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			g.Go(func() error {
				if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
					return nil //nolint:nilerr // whoever reads it says so
				}
				if _, err := db.keys.Check(file); seal.Locked(err) {
					return fmt.Errorf("%s: %w", file, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// Encryption says how the sealed parts are kept that are not kept as is set, and what follows.
func (db *DB) Encryption() []model.Problem {
	var left leftover
	for _, parts := range [][]*part.Part{db.logs.all(), db.spans.all()} {
		for _, p := range parts {
			left.add(p)
		}
	}
	if left.parts == 0 {
		return nil
	}
	p := model.Problem{
		Severity: "info",
		Message: fmt.Sprintf("%d parts of the event store (%d MiB, up to %s) are kept otherwise than events.encrypt: %t says: %d plain, %d encrypted by a former key or setting",
			left.parts, left.bytes>>20, time.Unix(0, left.newest).UTC().Format(time.RFC3339), db.cfg.Encrypt, left.plain, left.parts-left.plain),
		Cure: "nothing: they are written anew in the background; keep all keys of the section seal until this is gone",
	}
	return []model.Problem{p}
}

// leftover counts parts that are kept otherwise than is set.
type leftover struct {
	parts, plain  int
	bytes, newest int64
}

func (l *leftover) add(p *part.Part) {
	if p.Kept.Current {
		return
	}
	l.parts++
	if !p.Kept.Encrypted {
		l.plain++
	}
	l.bytes += p.Size
	l.newest = max(l.newest, p.MaxTime)
}

// anewAtOnce bounds the bytes that one round writes anew.
const anewAtOnce = 16 << 20

// keepAsSet writes some of the parts anew that are kept otherwise than is set.
func (s *shelf[R, S]) keepAsSet() error {
	s.db.seal.mu.Lock()
	defer s.db.seal.mu.Unlock()
	done := int64(0)
	for _, p := range s.all() {
		if p.Kept.Current {
			continue
		}
		if done > 0 && done+p.Size > anewAtOnce {
			return nil
		}
		done += p.Size
		fresh, err := part.Anew(s.db.fs, s.db.keys, s.pathOf(p))
		if err != nil {
			s.verify(p, err)
			return s.db.space.judge(err)
		}
		s.replace(p, fresh)
	}
	return nil
}

// all are the parts there are.
func (s *shelf[R, S]) all() []*part.Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.parts)
}
