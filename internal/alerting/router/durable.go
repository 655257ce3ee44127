package router

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
)

// amLog gives the embedded log another name than its method's.
type amLog = nflog.Log

// durableLog is Alertmanager's notification log, written soon after each
// change. What a kill loses is at most the last notifications, which are then
// made again with the same dedup key.
type durableLog struct {
	*amLog
	path  string
	log   *slog.Logger
	dirty chan struct{}
}

func newDurableLog(l *nflog.Log, path string, log *slog.Logger) *durableLog {
	return &durableLog{amLog: l, path: path, log: log, dirty: make(chan struct{}, 1)}
}

// Log notes a notification that was made.
func (d *durableLog) Log(r *nflogpb.Receiver, key string, firing, resolved []uint64, s *nflog.Store, expiry time.Duration) error {
	if err := d.amLog.Log(r, key, firing, resolved, s, expiry); err != nil {
		return err
	}
	select {
	case d.dirty <- struct{}{}:
	default:
	}
	return nil
}

func (d *durableLog) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-d.dirty:
			if _, err := d.save(); err != nil {
				d.log.Error("notification log not written", "err", err)
			}
		}
	}
}

func (d *durableLog) save() (n int64, err error) {
	err = writeFile(d.path, func(w io.Writer) error {
		n, err = d.Snapshot(w)
		return err
	})
	return n, err
}

func (d *durableLog) maintain() (int64, error) {
	if _, err := d.GC(); err != nil {
		return 0, err
	}
	return d.save()
}

func (r *Router) saveSilences() (n int64, err error) {
	err = writeFile(filepath.Join(r.dir, silencesFile), func(w io.Writer) error {
		n, err = r.silences.Snapshot(w)
		return err
	})
	return n, err
}

func (r *Router) maintainSilences() (int64, error) {
	if _, err := r.silences.GC(); err != nil {
		return 0, err
	}
	return r.saveSilences()
}

// keepSilences holds back the answer to a change of silences until it is on
// disk.
func (r *Router) keepSilences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		changes := strings.HasPrefix(req.URL.Path, "/api/v2/silence") && (req.Method == http.MethodPost || req.Method == http.MethodDelete)
		if !changes {
			next.ServeHTTP(w, req)
			return
		}
		held := &heldResponse{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, req)
		if held.code < http.StatusBadRequest {
			if _, err := r.saveSilences(); err != nil {
				r.log.Error("silence not kept", "err", err)
				http.Error(w, strconv.Quote("the silence works but would not survive a restart: "+err.Error()), http.StatusInternalServerError)
				return
			}
		}
		held.release(w)
	})
}

type heldResponse struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *heldResponse) Header() http.Header         { return h.header }
func (h *heldResponse) WriteHeader(code int)        { h.code = code }
func (h *heldResponse) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *heldResponse) release(w http.ResponseWriter) {
	for k, v := range h.header {
		w.Header()[k] = v
	}
	w.WriteHeader(h.code)
	_, _ = w.Write(h.body.Bytes()) // a client that is gone gets no answer
}

// readable answers path after check could read it. A file that it could not is
// set aside under another name, which is logged.
func readable(log *slog.Logger, path string, check func(path string) error) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return path, fmt.Errorf("read alerting state: %w", err)
	}
	if err := f.Close(); err != nil {
		return path, fmt.Errorf("read alerting state: %w", err)
	}
	if err := check(path); err != nil {
		return path, setAside(log, path, err)
	}
	return path, nil
}

func setAside(log *slog.Logger, path string, cause error) error {
	to := path + ".corrupt-" + strconv.FormatInt(time.Now().UnixMilli(), 10)
	if err := os.Rename(path, to); err != nil {
		return fmt.Errorf("set damaged file aside: %w", err)
	}
	log.Error("damaged alerting state was set aside", "file", path, "kept_as", to, "err", cause)
	return nil
}

// writeFile replaces a file in one step and has it on disk before it returns.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
