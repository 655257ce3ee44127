package retention

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// blocks reads what every block of samples says of itself.
func blocks(k Keep) found {
	f := found{what: "metrics: blocks", unit: "blocks", keep: k.Metrics, grace: grace, cure: startCure}
	dir := filepath.Join(k.Dir, "metrics")
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.err = err
		return f
	}
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name(), "meta.json")
		var meta struct{ MinTime, MaxTime int64 }
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err == nil {
			err = json.Unmarshal(text, &meta)
		}
		if err != nil {
			f.err = errors.Join(f.err, unreadable(path, err))
			continue
		}
		f.spans = append(f.spans, span{millis(meta.MinTime), millis(meta.MaxTime - 1)})
	}
	return f
}

// samples reads the log of samples that are in no block yet. Of the log, nothing is deleted before the newest is in a block.
func samples(k Keep, what, folder string) found {
	f := found{
		what: what, unit: "logs", keep: k.Metrics, grace: grace,
		cure: "Nothing new was stored since: delete the tenant's folder metrics/ while the server is stopped, or let new samples come.",
	}
	dir := filepath.Join(k.Dir, "metrics", folder)
	from := -1
	ranges := []wlog.SegmentRange{}
	checkpoint, index, err := wlog.LastCheckpoint(dir)
	switch {
	case err == nil:
		ranges, from = append(ranges, wlog.SegmentRange{Dir: checkpoint, Last: math.MaxInt32}), index+1
	case !errors.Is(err, record.ErrNotFound):
		f.err = err
		return f
	}
	ranges = append(ranges, wlog.SegmentRange{Dir: dir, First: from, Last: -1})
	r, err := wlog.NewSegmentsRangeReader(ranges...)
	if err != nil {
		f.err = err
		return f
	}
	defer r.Close()
	oldest, newest, err := sampleTimes(r)
	if err != nil {
		f.err = unreadable(dir, err)
	}
	if oldest <= newest {
		f.spans = []span{{millis(oldest), millis(newest)}}
	}
	return f
}

// sampleTimes are the times of the oldest and the newest sample of a log. Its last record may be half written.
func sampleTimes(segments io.Reader) (oldest, newest int64, err error) {
	oldest, newest = math.MaxInt64, math.MinInt64
	note := func(t int64) { oldest, newest = min(oldest, t), max(newest, t) }
	r, decoder := wlog.NewReader(segments), record.NewDecoder(nil, instrument.Silent())
	for r.Next() && err == nil {
		rec := r.Record()
		switch decoder.Type(rec) {
		case record.Samples, record.SamplesV2:
			var list []record.RefSample
			list, err = decoder.Samples(rec, nil)
			for _, s := range list {
				note(s.T)
			}
		case record.HistogramSamples, record.CustomBucketsHistogramSamples, record.HistogramSamplesV2:
			var list []record.RefHistogramSample
			list, err = decoder.HistogramSamples(rec, nil)
			for _, s := range list {
				note(s.T)
			}
		case record.FloatHistogramSamples, record.CustomBucketsFloatHistogramSamples, record.FloatHistogramSamplesV2:
			var list []record.RefFloatHistogramSample
			list, err = decoder.FloatHistogramSamples(rec, nil)
			for _, s := range list {
				note(s.T)
			}
		default: // holds no sample
		}
	}
	var torn *wlog.CorruptionErr
	if err == nil && !errors.As(r.Err(), &torn) {
		err = r.Err()
	}
	return oldest, newest, err
}

// parts reads what every sealed part says of itself, and how old the segments of the log are that holds what is not sealed yet.
func parts(k Keep) []found {
	dir := filepath.Join(k.Dir, "events")
	logs := found{what: "logs: parts", unit: "parts", keep: k.Logs, grace: grace, cure: startCure}
	spans := found{what: "spans: parts", unit: "parts", keep: k.Spans, grace: grace, cure: startCure}
	logs.spans, logs.err = partSpans(filepath.Join(dir, "logs"))
	spans.spans, spans.err = partSpans(filepath.Join(dir, "spans"))
	wal := found{what: "logs and spans: log", unit: "segments", keep: max(k.Logs, k.Spans), grace: grace, cure: startCure}
	wal.spans, wal.err = written(filepath.Join(dir, "wal", "*"))
	return []found{logs, spans, wal}
}

func partSpans(dir string) (out []span, err error) {
	days, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		files, listErr := filepath.Glob(filepath.Join(dir, day.Name(), "*"+part.RowsExt))
		err = errors.Join(err, listErr)
		for _, file := range files {
			meta, readErr := part.ReadMeta(nil, strings.TrimSuffix(file, part.RowsExt))
			if _, gone := os.Stat(file); errors.Is(gone, fs.ErrNotExist) {
				continue // deleted or merged meanwhile
			}
			if named, ok := part.RangeOfName(file); ok && seal.Locked(readErr) {
				out = append(out, span{nanos(named.Start), nanos(named.End)}) // to the second, and without a key
				continue
			}
			if readErr != nil {
				err = errors.Join(err, unreadable(file, readErr))
				continue
			}
			out = append(out, span{nanos(meta.MinTime), nanos(meta.MaxTime)})
		}
	}
	return out, err
}

// written are files, as old as their last change.
func written(patterns ...string) (out []span, err error) {
	for _, pattern := range patterns {
		files, listErr := filepath.Glob(pattern)
		err = errors.Join(err, listErr)
		for _, file := range files {
			info, statErr := os.Stat(file)
			if statErr != nil {
				continue // deleted meanwhile
			}
			out = append(out, span{info.ModTime(), info.ModTime()})
		}
	}
	return out, err
}

// setAside are damaged files, which nobody deletes but the operator.
func setAside(k Keep) found {
	f := found{
		what: "set aside as damaged", unit: "files", keep: max(k.Metrics, k.Logs, k.Spans), grace: grace,
		cure: fmt.Sprintf("Delete what nobody needs of %s and %s.", filepath.Join(k.Dir, "*", "quarantine"), filepath.Join(k.Dir, "**", "*.corrupt-*")),
	}
	f.spans, f.err = written(filepath.Join(k.Dir, "*", "quarantine", "*"), filepath.Join(k.Dir, "*.corrupt-*"), filepath.Join(k.Dir, "*", "*.corrupt-*"))
	return f
}
