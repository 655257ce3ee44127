package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// rawID stands wherever somebody can be identified. Its letters are those that no encoding of an id has.
const rawID = "RAWID-zyxwv-4711"

// sendIdentified sends rawID by every way in.
func sendIdentified(t *testing.T, r *running, now time.Time) {
	t.Helper()
	attr := fmt.Sprintf(`{"key":"user.id","value":{"stringValue":%q}}`, rawID)
	list := fmt.Sprintf(`{"key":"enduser.id","value":{"arrayValue":{"values":[{"stringValue":%q}]}}}`, rawID)
	resource := fmt.Sprintf(`{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}},%s]}`, attr)
	log := func(body string) string {
		return fmt.Sprintf(`{"timeUnixNano":"%d","body":%s,"attributes":[%s,%s]}`, now.UnixNano(), body, attr, list)
	}
	object := fmt.Sprintf(`{"kvlistValue":{"values":[{"key":"userId","value":{"stringValue":%q}},{"key":"who","value":{"kvlistValue":{"values":[%s]}}}]}}`, rawID, attr)
	line, err := json.Marshal(fmt.Sprintf(`{"msg":"in","nested":{"user_id":%q},"again":"{\"user_id\":\"%s\"}"}`, rawID, rawID))
	if err != nil {
		t.Fatal(err)
	}
	array := fmt.Sprintf(`{"arrayValue":{"values":[{"kvlistValue":{"values":[%s]}}]}}`, attr)
	point := fmt.Sprintf(`{"timeUnixNano":"%d","asInt":"1","startTimeUnixNano":"%d","attributes":[%s],"exemplars":[{"timeUnixNano":"%d","asInt":"1","filteredAttributes":[%s]}]}`,
		now.UnixNano(), now.Add(-time.Minute).UnixNano(), attr, now.UnixNano(), attr)
	for path, body := range map[string]string{
		"/v1/logs": fmt.Sprintf(`{"resourceLogs":[{"resource":%s,"scopeLogs":[{"logRecords":[%s,%s,%s]}]}]}`,
			resource, log(object), log(`{"stringValue":`+string(line)+`}`), log(array)),
		"/v1/traces": fmt.Sprintf(`{"resourceSpans":[{"resource":%s,"scopeSpans":[{"spans":[{"traceId":"0123456789abcdef0123456789abcdef","spanId":"0102030405060708","name":"GET","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s],"events":[{"name":"e","attributes":[%s]}],"links":[{"traceId":"0123456789abcdef0123456789abcdee","spanId":"0102030405060709","attributes":[%s]}]}]}]}]}`,
			resource, now.Add(-time.Second).UnixNano(), now.UnixNano(), attr, attr, attr),
		"/v1/metrics": fmt.Sprintf(`{"resourceMetrics":[{"resource":%s,"scopeMetrics":[{"metrics":[{"name":"pushed","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[%s]}}]}]}]}`,
			resource, point),
	} {
		if status, text := r.do(t, "POST", r.Addresses().OTLPHTTP+path, "application/json", body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	user := []prompb.Label{{Name: "user_id", Value: rawID}}
	exemplars := []prompb.Exemplar{{Labels: user, Value: 1, Timestamp: now.UnixMilli()}}
	series := func(name string) []prompb.Label {
		return append([]prompb.Label{{Name: "__name__", Value: name}}, user...)
	}
	for i := range 3 { // the second time the series is known
		at := now.UnixMilli() + int64(i)
		write, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
			{Labels: series("written"), Samples: []prompb.Sample{{Timestamp: at, Value: 1}}, Exemplars: exemplars},
			{Labels: series("exemplar_alone"), Exemplars: exemplars},
		}}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if status, text := r.do(t, "POST", "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, write)), "Content-Encoding", "snappy"); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, text)
		}
	}
}

// where is the files below a folder that hold rawID.
func where(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(rawID)) || bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString([]byte(rawID)))) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestNoIdentifierIsStoredAndItsRecordsAreFoundByItsHash(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "scraped{user_id=%q} 1\n", rawID)
	}))
	defer target.Close()
	now, address := time.Now(), strings.TrimPrefix(target.URL, "http://")
	scrape := "scrape_configs: [{job_name: app, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ['" + address + "']}]}]\n"
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	old := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("o"), 32))

	open := start(t, map[string]string{"signalbox.yml": scrape})
	sendIdentified(t, open, now)
	until(t, "scraped", func() bool { return len(open.query(t, "scraped", "user_id")) == 1 })
	if status, _ := open.post(t, "/sb/v1/identifiers", `{"value":"x"}`); status != http.StatusNotFound {
		t.Errorf("hashes where nothing is hashed: %d", status)
	}
	open.stop()
	if found := where(t, open.dir); len(found) < 2 {
		t.Fatalf("what is stored in the clear is not found either, so that this test shows nothing: %v", found)
	}

	r := start(t, map[string]string{
		"signalbox.yml": scrape + "privacy: {hash: [user.id, enduser.id], keys: [{file: key}, {file: old}]}\n", "key": key, "old": old,
	})
	sendIdentified(t, r, now)
	type answer struct{ Hashes []string }
	status, text := r.post(t, "/sb/v1/identifiers", `{"value":"`+rawID+`"}`)
	hashes := into[answer](t, status, text).Hashes
	if len(hashes) != 2 || hashes[0] == hashes[1] {
		t.Fatal(hashes)
	}
	for _, name := range []string{"scraped", "written", "pushed_total"} {
		until(t, name, func() bool {
			got := r.query(t, name, "user_id")
			_, ok := got[hashes[0]]
			return ok && len(got) == 1
		})
	}
	if !r.contains(t, `/api/v1/label/user_id/values`, hashes[0]) || r.contains(t, `/api/v1/label/user_id/values`, rawID) {
		t.Error("the values of the label are not the hash alone")
	}
	for _, name := range []string{"written", "exemplar_alone", "pushed_total"} {
		path := "/api/v1/query_exemplars?start=0&end=9999999999&query=" + name
		if _, text := r.get(t, path); strings.Count(text, hashes[0]) != 2 || strings.Contains(text, rawID) {
			t.Errorf("the labels of a series and its exemplar are not the hash alone: %s", text)
		}
	}
	type logs struct{ Logs []any }
	status, text = r.get(t, `/sb/v1/logs?start=now-1h&q=user.id:%22`+hashes[0]+`%22`)
	if got := into[logs](t, status, text).Logs; len(got) != 3 || strings.Contains(text, rawID) {
		t.Errorf("%d log records: %s", len(got), text)
	}
	if !r.contains(t, "/sb/v1/traces/0123456789abcdef0123456789abcdef", hashes[0]) || r.contains(t, "/sb/v1/traces/0123456789abcdef0123456789abcdef", rawID) {
		t.Error("the trace is not by the hash alone")
	}
	if !r.contains(t, "/metrics", `signalbox_identifiers_hashed_total{signal="logs"}`, `signalbox_identifiers_hashed_total{signal="metrics"}`, `signalbox_identifiers_hashed_total{signal="spans"}`) {
		t.Error("not counted")
	}
	r.stop()
	if found := where(t, filepath.Join(r.dir, "data")); len(found) > 0 {
		t.Errorf("the identifier is stored in %v", found)
	}
	if strings.Contains(r.log.String(), rawID) || strings.Contains(r.log.String(), key) {
		t.Error("the identifier or the key is in the log")
	}
}
