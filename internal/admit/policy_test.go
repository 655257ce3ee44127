package admit

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/stream"
)

var (
	_  stream.Admitter = (*Policy)(nil)
	at                 = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

func policy(t testing.TB, change func(*Config)) *Policy {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg, Deps{Registerer: prometheus.NewPedanticRegistry(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func record(message string, attrs ...model.Attr) model.LogRecord {
	return model.LogRecord{Time: at.UnixNano(), Message: message, Attrs: attrs, Resource: &model.Resource{Service: "edge", Tenant: "default", Env: "prod"}}
}

func text(key, value string) model.Attr { return model.Attr{Key: key, Value: model.StringValue(value)} }

func TestRefusalsSayWhyAndTheRestIsKept(t *testing.T) {
	p := policy(t, func(c *Config) { c.MinLevel = map[string]string{"prod": "info"}; c.MaxRecordBytes = 2000 })
	future, old, debug, huge := record("future"), record("old"), record("debug"), record(strings.Repeat("x", 3000))
	future.Time = at.Add(11 * time.Minute).UnixNano()
	old.Time = at.Add(-31 * 24 * time.Hour).UnixNano()
	debug.Level = model.LevelDebug
	edge := record("ten minutes ahead is fine")
	edge.Time = at.Add(10 * time.Minute).UnixNano()

	kept, refused := p.AdmitLogs([]model.LogRecord{record("a"), future, old, debug, huge, old, edge})
	if len(kept) != 2 || kept[0].Message != "a" || kept[1].Message != edge.Message {
		t.Errorf("kept = %+v", kept)
	}
	want := []stream.Refusal{
		{Reason: "too_far_in_future", Count: 1, Message: "timestamp 2026-11-01T12:11:00Z is more than 10m ahead of this server's clock"},
		{Reason: "too_old", Count: 2, Message: "timestamp 2026-10-01T12:00:00Z is older than the retention of 30d"},
		{Reason: "level", Count: 1, Message: `level debug is below min_level info of environment "prod"`},
		{Reason: "too_large", Count: 1, Message: "a record of 3000 bytes is larger than the limit of 2000"},
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Error(diff)
	}
	if n := testutil.ToFloat64(p.refused.WithLabelValues("logs", "too_old")); n != 2 {
		t.Errorf("counted %v, want 2", n)
	}
}

func TestATimeInAnotherUnitIsNamed(t *testing.T) {
	p := policy(t, func(*Config) {})
	for unit, ns := range map[string]int64{"seconds": at.Unix(), "milliseconds": at.UnixMilli(), "microseconds": at.UnixMicro(), "start of a process": 12_345} {
		late := record("x")
		late.Time = ns
		kept, refused := p.AdmitLogs([]model.LogRecord{late})
		if len(kept) != 0 || len(refused) != 1 || refused[0].Reason != "timestamp_unit" || !strings.Contains(refused[0].Message, unit) {
			t.Errorf("%s: %v", unit, refused)
		}
	}
}

func TestSpansAreHeldToTheSameRules(t *testing.T) {
	p := policy(t, func(c *Config) { c.MaxEvents, c.MaxLinks = 1, 1 })
	span := func(change func(*model.Span)) model.Span {
		s := model.Span{TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, Name: "GET", Start: at.UnixNano(), Duration: 5, Resource: &model.Resource{}}
		change(&s)
		return s
	}
	kept, refused := p.AdmitSpans([]model.Span{
		span(func(s *model.Span) { s.TraceID = model.TraceID{} }),
		span(func(s *model.Span) { s.SpanID = model.SpanID{} }),
		span(func(s *model.Span) { s.Duration = int64(time.Hour) }),
		span(func(s *model.Span) { s.Start = 0 }),
		span(func(s *model.Span) { s.Start, s.Duration = 0, 0 }),
		span(func(s *model.Span) { s.Start, s.Duration = 1, at.UnixNano() }),
		span(func(s *model.Span) { s.Start, s.Duration = at.UnixMilli(), 5 }),
		span(func(s *model.Span) { s.Start, s.Duration = at.Add(-31*24*time.Hour).UnixNano(), int64(31*24*time.Hour) }),
		span(func(s *model.Span) { s.Start = 1<<63 - 1 }),
		span(func(s *model.Span) { s.Duration = -7 }),
		span(func(s *model.Span) {
			s.Events = make([]model.SpanEvent, 3)
			s.Links = make([]model.SpanLink, 2)
			s.Resource = nil
		}),
	})
	if len(kept) != 2 || kept[0].Duration != 0 || len(kept[1].Events) != 1 || len(kept[1].Links) != 1 || kept[1].Resource.Tenant != "default" {
		t.Errorf("kept = %+v", kept)
	}
	got := map[string]int{}
	for _, r := range refused {
		got[r.Reason] = r.Count
	}
	if diff := cmp.Diff(map[string]int{"no_id": 2, "too_far_in_future": 2, "timestamp_unit": 3, "timestamp_unset": 1, "too_old": 1}, got); diff != "" {
		t.Error(diff)
	}
	if n := testutil.ToFloat64(p.changed.WithLabelValues("spans", "negative_duration")); n != 1 {
		t.Errorf("negative durations = %v", n)
	}
}

func TestWhatIsTooLongIsCutAndMarked(t *testing.T) {
	p := policy(t, func(c *Config) { c.MaxMessageBytes, c.MaxValueBytes, c.MaxKeyBytes, c.MaxAttributes = 70, 64, 64, 3 })
	kept, refused := p.AdmitLogs([]model.LogRecord{record(strings.Repeat("ä", 60),
		text(strings.Repeat("k", 90), "v"), text("long", strings.Repeat("v", 100)),
		model.Attr{Key: "json", Value: model.JSONValue(`["` + strings.Repeat("j", 100) + `"]`)}, text("fourth", "x"))})
	if len(refused) != 0 || len(kept) != 1 {
		t.Fatalf("kept %d, refused %v", len(kept), refused)
	}
	r := kept[0]
	if len(r.Message) > 70 || !strings.HasSuffix(r.Message, "ä…[truncated]") || !utf8.ValidString(r.Message) {
		t.Errorf("message = %q", r.Message)
	}
	if len(r.Attrs) != 3 || len(r.Attrs[0].Key) != 64 || len(r.Attrs[1].Value.Str()) != 64 || !strings.HasSuffix(r.Attrs[1].Value.Str(), truncationMark) {
		t.Errorf("attributes = %+v", r.Attrs)
	}
	if v := r.Attrs[2].Value; v.Kind() != model.KindString {
		t.Errorf("a cut JSON value stayed JSON: %q", v.Str())
	}
	for c, want := range map[change]float64{changeTruncated: 4, changeAttributes: 1} {
		if n := testutil.ToFloat64(p.changed.WithLabelValues("logs", c.String())); n != want {
			t.Errorf("%s = %v, want %v", c, n, want)
		}
	}
}

func TestInvalidUTF8IsRepairedEverywhereAndCounted(t *testing.T) {
	p := policy(t, nil)
	r := record("a\xffb", text("k\xfe", "v\xfd"), model.Attr{Key: "j", Value: model.JSONValue("\"\xff\"")})
	r.Resource.Service, r.RequestID = "s\xff", "\xff"
	kept, _ := p.AdmitLogs([]model.LogRecord{r})
	got := kept[0]
	if got.Message != "a\uFFFDb" || got.Attrs[0].Key != "k\uFFFD" || got.Attrs[0].Value.Str() != "v\uFFFD" || got.Resource.Service != "s\uFFFD" {
		t.Errorf("got %+v %+v", got, got.Resource)
	}
	if n := testutil.ToFloat64(p.changed.WithLabelValues("logs", "utf8")); n != 6 {
		t.Errorf("repairs = %v, want 6", n)
	}
}

func TestLevelsBelowTheEnvironmentsMinimumAreDropped(t *testing.T) {
	p := policy(t, func(c *Config) { c.MinLevel = map[string]string{"dev": "trace", "*": "warn"} })
	for _, c := range []struct {
		env   string
		level model.Level
		kept  bool
	}{
		{"dev", model.LevelTrace, true},
		{"prod", model.LevelInfo, false},
		{"prod", model.LevelWarn, true},
		{"", model.LevelDebug, false},
		{"prod", model.LevelUnset, true},
	} {
		r := record("m")
		r.Resource.Env, r.Level = c.env, c.level
		kept, _ := p.AdmitLogs([]model.LogRecord{r})
		if (len(kept) == 1) != c.kept {
			t.Errorf("%s in %q: kept %v, want %v", c.level, c.env, len(kept) == 1, c.kept)
		}
	}
}

func TestARecordWithoutTimeGetsTheClocks(t *testing.T) {
	p := policy(t, nil)
	kept, _ := p.AdmitLogs([]model.LogRecord{{Message: "m"}})
	if len(kept) != 1 || kept[0].Time != at.UnixNano() || kept[0].Resource == nil {
		t.Errorf("kept = %+v", kept)
	}
}

func TestConfigProblemsNameTheirPath(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxAttributes, cfg.MaxFuture = 0, -1
	cfg.MinLevel = map[string]string{"prod": "loud"}
	cfg.PII = PIIConfig{MaskFields: []string{""}, MaskPatterns: []string{"phone", "/(/", "/x*/"}}
	var got []string
	for _, err := range cfg.Validate() {
		path, _, _ := strings.Cut(err.Error(), ":")
		got = append(got, path)
	}
	want := []string{"max_attributes", "max_future", "min_level.prod", "pii.mask_fields[0]", "pii.mask_patterns[0]", "pii.mask_patterns[1]", "pii.mask_patterns[2]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if errs := DefaultConfig().Validate(); len(errs) != 0 {
		t.Errorf("defaults: %v", errs)
	}
}

// Kept records are valid, within limits and in order; kept + refused is what came.
func TestNothingIsLostBetweenKeptAndRefused(t *testing.T) {
	p := policy(t, func(c *Config) { c.MaxMessageBytes, c.MaxRecordBytes = 64, 1024 })
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		in := make([]model.LogRecord, n)
		for i := range in {
			in[i] = record(string(rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(t, "message")), model.Attr{Key: "i", Value: model.IntValue(int64(i))})
			in[i].Time = at.Add(time.Duration(rapid.IntRange(-40*24, 2).Draw(t, "hours")) * time.Hour).UnixNano()
		}
		kept, refused := p.AdmitLogs(in)
		total, last := len(kept), int64(-1)
		for _, r := range refused {
			total += r.Count
		}
		for _, r := range kept {
			if r.Attrs[0].Value.Int() <= last || len(r.Message) > 64 || !utf8.ValidString(r.Message) {
				t.Fatalf("kept %+v after %d", r, last)
			}
			last = r.Attrs[0].Value.Int()
		}
		if total != n {
			t.Fatalf("%d of %d accounted for", total, n)
		}
	})
}

func TestIdentifiersAreHashedWhateverTheirFormAndNothingElseIs(t *testing.T) {
	t.Setenv("SB_TEST_KEY", strings.Repeat("QUFB", 11))
	ids, err := identifiers.New(identifiers.Config{Hash: []string{"user.id", "request.id"}, Keys: []secretfile.Key{{Environment: "SB_TEST_KEY"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(DefaultConfig(), Deps{Identifiers: ids, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	hash := ids.Forms("4711")[0]
	long := strings.Repeat("x", 20<<10) // is hashed before anything cuts it
	r := record(`{"z":1.50,"user":{"id":4711},"user_id":[4711,null,{"of":"4711"}],"password":"p"}`,
		text("user.id", "4711"), text("other", "4711"), text("again.user_id", hash), text("empty.user.id", ""), text("long.user.id", long),
		model.Attr{Key: "int.user.id", Value: model.IntValue(4711)}, model.Attr{Key: "list.user.id", Value: model.JSONValue(`["4711",4711]`)},
		model.Attr{Key: "single.user.id", Value: model.JSONValue(`4711`)}, text("not_json", `{"user_id":4711} and more`))
	r.RequestID = "4711"
	kept, _ := p.AdmitLogs([]model.LogRecord{r})
	got := kept[0]
	if want := `{"password":"***","user":{"id":4711},"user_id":["` + hash + `",null,{"of":"` + hash + `"}],"z":1.50}`; got.Message != want {
		t.Errorf("message %s, want %s", got.Message, want)
	}
	if got.RequestID != hash {
		t.Errorf("request id %s", got.RequestID)
	}
	want := model.Attrs{
		text("user.id", hash), text("other", "4711"), text("again.user_id", hash), text("empty.user.id", ""), text("long.user.id", ids.Forms(long)[0]),
		text("int.user.id", hash),
		{Key: "list.user.id", Value: model.JSONValue(`["` + hash + `","` + hash + `"]`)},
		text("single.user.id", hash),
		text("not_json", `{"user_id":4711} and more`),
	}
	if diff := cmp.Diff(want, got.Attrs, cmp.Comparer(func(a, b model.Value) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if n := testutil.ToFloat64(p.changed.WithLabelValues("logs", "hashed")); n != 9 {
		t.Errorf("counted %v", n)
	}
}
