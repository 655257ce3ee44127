package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/silence"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/mirror"
	"github.com/signalbox-project/signalbox/internal/store"
)

// witnessKind is the kind of the documents that tell which files of the alert state there are.
const witnessKind = "alerting_file"

// witness remembers in the state store, which lies in another folder and has a copy of its own, that a file of the alert
// state was written: without it a file that is deleted together with its copy was never there. Methods
// are safe for concurrent use.
type witness struct {
	docs store.DocumentStore // nil: nothing is witnessed
	log  *slog.Logger

	mu   sync.Mutex
	last map[string]store.Document // by file, as far as they were read or written
}

// testimony is what is remembered of a file.
type testimony struct {
	// Silences in force or to come when it was written last, and when the last of them ends.
	Silences int       `json:"silences,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

const witnessPatience = 5 * time.Second

// missing is what a file held that should be there and is not, nor its copy; nil if all is well.
func (w *witness) missing(path string, now time.Time) (*mirror.Finding, error) {
	if w.docs == nil || !absent(path) || !absent(path+mirror.CopyExt) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), witnessPatience)
	defer cancel()
	d, err := w.docs.Document(ctx, witnessKind, filepath.Base(path))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was written of %s: %w", path, err)
	}
	var held testimony
	if err := json.Unmarshal(d.Body, &held); err != nil {
		return nil, fmt.Errorf("read what was written of %s: %w", path, err)
	}
	if filepath.Base(path) != silencesFile {
		// It comes back with the next alert or notification; until then it is not missed again.
		d.Gone = true
		if _, err := w.docs.SaveDocuments(ctx, d); err != nil {
			w.log.Warn("a missing file of the alert state will be named again", "file", path, "err", err)
		}
		return &mirror.Finding{Lost: true, Cause: errors.New("it and its copy are missing")}, nil
	}
	if held.Silences == 0 || !held.Until.After(now) {
		return nil, nil // what it held is over
	}
	return &mirror.Finding{Lost: true, Cause: fmt.Errorf("it and its copy are missing; it held %d silences, the last of which was to end at %s", held.Silences, held.Until.UTC().Format(time.RFC3339))}, nil
}

func absent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}

// note remembers that a file was written. What cannot be remembered is said, and holds up nothing.
func (w *witness) note(name string, held testimony) {
	if w.docs == nil {
		return
	}
	body, err := json.Marshal(held)
	if err == nil {
		err = w.save(name, body)
	}
	if err != nil {
		w.log.Warn("it is not remembered that a file of the alert state was written; were it deleted with its copy, nothing would tell", "file", name, "err", err)
	}
}

func (w *witness) save(name string, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), witnessPatience)
	defer cancel()
	d, known := w.last[name]
	for range 2 {
		if !known {
			var err error
			if d, err = w.docs.Document(ctx, witnessKind, name); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if d.Version > 0 && string(d.Body) == string(body) {
			w.last[name] = d
			return nil
		}
		d.Kind, d.ID, d.Time, d.Body = witnessKind, name, time.Now(), body
		saved, err := w.docs.SaveDocuments(ctx, d)
		if err == nil {
			w.last[name] = saved[0]
			return nil
		}
		if !errors.Is(err, store.ErrChanged) {
			return err
		}
		known = false
	}
	return store.ErrChanged
}

// kept is a file of the alert state, kept twice and witnessed.
type kept struct {
	mirror.File
	w *witness
}

// save replaces the content. held is asked after that; nil for files whose content nobody misses.
func (k kept) save(write func(io.Writer) error, held func() testimony) error {
	if err := k.Save(write); err != nil {
		return err
	}
	var t testimony
	if held != nil {
		t = held()
	}
	k.w.note(filepath.Base(k.Path), t)
	return nil
}

// inForce is what a witness of the silences' file says.
func inForce(s *silence.Silences) testimony {
	list, _, err := s.Query(context.Background(), silence.QState(silence.SilenceStateActive, silence.SilenceStatePending))
	if err != nil {
		return testimony{}
	}
	t := testimony{Silences: len(list)}
	for _, one := range list {
		if end := one.EndsAt.AsTime(); end.After(t.Until) {
			t.Until = end
		}
	}
	return t
}
