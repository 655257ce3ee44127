package scan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// storeOfFormat1 has the two parts in testdata/format1, written when filters held other words: four
// log records and two spans.
func storeOfFormat1(t *testing.T) *plainStore {
	t.Helper()
	s := newPlainStore(t)
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join("testdata", "format1"))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"+part.RowsExt))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		p, err := part.Open(nil, strings.TrimSuffix(f, part.RowsExt))
		if err != nil {
			t.Fatal(err)
		}
		if p.KnowsWords() {
			t.Fatalf("%s is not old", f)
		}
		s.parts[p.Signal] = append(s.parts[p.Signal], p)
	}
	return s
}

func parse(t *testing.T, text string) store.Expr {
	t.Helper()
	e, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPartsOfAnOlderFormatAreSearchedByTodaysRules(t *testing.T) {
	s := storeOfFormat1(t)
	for filter, want := range map[string]int{
		"ERROR": 1, "31mERROR": 0, `"error connection refused"`: 1, "日志": 1, "连接": 1, "/日志系统/": 1,
		"text": 1, "plain -日志": 1, "order.id:o-1": 1, "order.id:o-2": 0, "-ERROR": 3,
		"http.response.status_code:503": 1, "http.response.status_code:>=500": 1, "http.response.status_code:<500": 0, "tags:b": 1, "k8s.pod.name:p-1": 4,
	} {
		got := 0
		for _, err := range s.Logs(t.Context(), store.LogQuery{Expr: parse(t, filter)}) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != want {
			t.Errorf("%s finds %d records, want %d", filter, got, want)
		}
	}
	for filter, want := range map[string]int{
		"exception.type:DiskFull": 1, "event.exception.type:DiskFull": 1, "exception.type:Other": 0, `"no \"space\" left"`: 1, "exception": 1,
		"event.name:exception": 1, "link.reason:retry": 1, "link.trace_id:01*": 1, "reason:*": 1, "/DiskF/": 1, "k8s.pod.name:p-1": 2,
	} {
		got := 0
		for _, err := range s.Spans(t.Context(), store.TraceQuery{Expr: parse(t, filter)}) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != want {
			t.Errorf("%s finds %d spans, want %d", filter, got, want)
		}
	}
}
