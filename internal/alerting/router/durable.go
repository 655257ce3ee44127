package router

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
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
	file  kept
	log   *slog.Logger
	dirty chan struct{}

	saving sync.Mutex // one snapshot is written at a time; guards nothing else
}

func newDurableLog(l *nflog.Log, file kept, log *slog.Logger) *durableLog {
	return &durableLog{amLog: l, file: file, log: log, dirty: make(chan struct{}, 1)}
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
	d.saving.Lock()
	defer d.saving.Unlock()
	err = d.file.save(func(w io.Writer) error {
		n, err = d.Snapshot(w)
		return err
	}, nil)
	return n, err
}

func (d *durableLog) maintain() (int64, error) {
	if _, err := d.GC(); err != nil {
		return 0, err
	}
	return d.save()
}

// keepSilences holds back the answer to a change of silences until it is on
// disk.
func (m *memory) keepSilences(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		changes := strings.HasPrefix(req.URL.Path, "/api/v2/silence") && (req.Method == http.MethodPost || req.Method == http.MethodDelete)
		if !changes {
			next.ServeHTTP(w, req)
			return
		}
		held := &heldResponse{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(held, req)
		if held.code < http.StatusBadRequest {
			if _, err := m.saveSilences(); err != nil {
				m.log.Error("silence not kept", "err", err)
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
