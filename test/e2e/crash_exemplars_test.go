package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// compactedUntil is the end of the newest block of samples in order, in Unix ms. Exemplars are kept in memory
// and in the log of samples, which a start reads from there on.
func compactedUntil(t *testing.T, dir string) (end int64) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "metrics", "0*", "meta.json"))
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			MaxTime    int64 `json:"maxTime"`
			Compaction struct {
				Hints []string `json:"hints"`
			} `json:"compaction"`
		}
		if err := json.Unmarshal(text, &meta); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(meta.Compaction.Hints, "from-out-of-order") {
			end = max(end, meta.MaxTime)
		}
	}
	return end
}

// verifyExemplars finds the exemplar of every acknowledged number whose samples the head of the store still has.
func verifyExemplars(t *testing.T, s *server, p *producer, from int64) {
	t.Helper()
	var samples struct {
		Data struct {
			Result []struct {
				Values [][2]json.RawMessage `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	s.get("/api/v1/query", url.Values{"query": {p.signal + "[6h]"}}, &samples)
	var exemplars struct {
		Data []struct {
			Exemplars []struct {
				Labels map[string]string `json:"labels"`
			} `json:"exemplars"`
		} `json:"data"`
	}
	now := time.Now()
	s.get("/api/v1/query_exemplars", url.Values{
		"query": {p.signal}, "start": {now.Add(-6 * time.Hour).Format(time.RFC3339)}, "end": {now.Add(time.Hour).Format(time.RFC3339)},
	}, &exemplars)
	times := map[int]int64{} // the first sample's, which is the exemplar's
	for _, r := range samples.Data.Result {
		for _, v := range r.Values {
			var at float64
			var number string
			if json.Unmarshal(v[0], &at) != nil || json.Unmarshal(v[1], &number) != nil {
				t.Fatalf("%s", v)
			}
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			if n%batch == 0 {
				times[n/batch] = int64(at*1000 + 0.5)
			}
		}
	}
	stored := map[int]int{}
	for _, series := range exemplars.Data {
		for _, e := range series.Exemplars {
			stored[numberIn(t, e.Labels["trace_id"])]++
		}
	}
	var wanted int
	var lost, twice []int
	for n := range p.acked {
		if times[n] < from {
			continue
		}
		wanted++
		if stored[n] == 0 {
			lost = append(lost, n)
		} else if stored[n] > 1 {
			twice = append(twice, n)
		}
	}
	t.Logf("exemplars: %d acknowledged that are younger than the newest block, %d stored in all", wanted, len(stored))
	if wanted == 0 {
		t.Error("no exemplar is younger than the newest block; the test proves nothing")
	}
	if len(lost) > 0 || len(twice) > 0 {
		t.Errorf("exemplars: %d lost %v, %d twice %v", len(lost), lost[:min(9, len(lost))], len(twice), twice[:min(9, len(twice))])
	}
}
