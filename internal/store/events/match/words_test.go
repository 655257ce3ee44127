package match

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func messages(list ...[2]string) (out []named[model.LogRecord]) {
	for _, m := range list {
		out = append(out, named[model.LogRecord]{m[0], model.LogRecord{Message: m[1]}})
	}
	return out
}

func TestWordsOfMessages(t *testing.T) {
	places := logPlaces(t, messages(
		[2]string{"plain", "connection reset by peer"},
		[2]string{"upper", "CONNECTION RESET"},
		[2]string{"under", "conn_reset happened"},
		[2]string{"dash", "connection-reset"},
		[2]string{"digits", "took 15ms, code 503"},
		[2]string{"url", "GET http://host/a/b?x=1"},
		[2]string{"empty", ""},
		[2]string{"marks", "--- !!! ---"},
		[2]string{"twice", "resets, preset, reset"},
		[2]string{"inside", "resets and presets"},
	))
	checkFilters(t, part.Logs, places, []want{
		{"reset", "plain upper dash twice"},
		{"RESET", "plain upper dash twice"},
		{"rese", ""},
		{"rese*", "plain upper dash twice inside"},
		{"conn*", "plain upper under dash"},
		{"conn_reset", "under"},
		{`"connection reset"`, "plain upper"},
		{`"connection  reset"`, ""},
		{`"connection-reset"`, "dash"},
		{`"reset by"`, "plain"},
		{`"reset b"`, ""},
		{`"reset b"*`, "plain"},
		{`"set by"`, ""},
		{"503", "digits"},
		{"15ms", "digits"},
		{"15", ""},
		{"15*", "digits"},
		{"http://host/a/b", "url"},
		{`"a/b"`, "url"},
		{`"!!!"`, "marks"},
		{`"---"`, "marks"},
		{"absent", ""},
		{"reset peer", "plain"},
		{"reset AND NOT peer", "upper dash twice"},
		{"reset OR 503", "plain upper dash twice digits"},
		{"503 OR reset peer", "plain digits"},
		{"(503 OR reset) -connection", "digits twice"},
		{"-reset", "under digits url empty marks inside"},
		{"-absent", "plain upper under dash digits url empty marks twice inside"},
		{"-(reset OR 503)", "under url empty marks inside"},
		{"*", "plain upper under dash digits url empty marks twice inside"},
		{"-*", ""},
	})
}

func TestRegularExpressionsOverMessages(t *testing.T) {
	places := logPlaces(t, messages(
		[2]string{"plain", "connection reset by peer"},
		[2]string{"upper", "CONNECTION RESET"},
		[2]string{"inside", "conn_resets"},
		[2]string{"took", "took 15 ms"},
		[2]string{"long", "tooK 115 mſ"}, // the long s is a spelling of s
		[2]string{"kelvin", "too\u212a 15 ms"},
		[2]string{"red", "\x1b[31mre\x1b[1mset\x1b[0m"},
		[2]string{"lines", "first\nreset"},
		[2]string{"empty", ""},
	))
	checkFilters(t, part.Logs, places, []want{
		{"/reset/", "plain inside red lines"},
		{"/(?i)reset/", "plain upper inside red lines"},
		{"/^reset/", "red"},
		{"/(?m)^reset/", "red lines"},
		{"/reset$/", "red lines"},
		{`/took \d+ ms/`, "took"},
		{`/(?i)took \d+ ms/`, "took long kelvin"},
		{"/reset|took/", "plain inside took red lines"},
		{"/connection (reset|refused)/", "plain"},
		{"/^$/", "empty"},
		{"/./", "plain upper inside took long kelvin red lines"},
		{`/first.reset/`, ""},
		{`/first\sreset/`, "lines"},
		{`/\x1b/`, ""},
		{`message:/\x1b\[31m/`, "red"},
		{`message:/reset/`, "plain inside lines"},
		{"message:/^$/", ""}, // what is empty is absent
		{"-/reset/", "upper took long kelvin empty"},
	})
}

func TestWordsAsATerminalShowsThem(t *testing.T) {
	places := logPlaces(t, messages(
		[2]string{"red", "\x1b[31mERROR\x1b[0m: disk full"},
		[2]string{"cut", "re\x1b[1mset\x1b[0m now"},
		[2]string{"eight", "\u009b31mfailed\u009b0m"},
		[2]string{"link", "see \x1b]8;;http://secret\x07the page\x1b]8;;\x07 for more"},
		[2]string{"plain", "31m is no colour here"},
		[2]string{"torn", "ends in \x1b["},
		[2]string{"style", "\x1b[31;4mdeep\x1b[0m water"},
	))
	checkFilters(t, part.Logs, places, []want{
		{"ERROR", "red"},
		{"31mERROR", ""},
		{"31m", "plain"},
		{`"error: disk"`, "red"},
		{"reset", "cut"},
		{`"reset now"`, "cut"},
		{"set", ""},
		{"failed", "eight"},
		{"secret", ""},
		{`"see the page for"`, "link"},
		{"ends", "torn"},
		{"-error", "cut eight link plain torn style"},
		{`"deep water"`, "style"},
		{"message:\"\x1b[31;4\"*", "style"}, // a field is compared as it is stored
		{"message:\"\x1b[31\"*", "red style"},
	})
}

func TestWordsOfOtherScripts(t *testing.T) {
	places := logPlaces(t, messages(
		[2]string{"chinese", "订单服务连接失败"},
		[2]string{"mixed", "服务timeout连接"},
		[2]string{"japanese", "サーバーに接続できません"},
		[2]string{"korean", "결제가 실패했습니다"},
		[2]string{"thai", "การเชื่อมต่อล้มเหลว"},
		[2]string{"german", "Größe überschritten"},
		[2]string{"greek", "ΣΦΑΛΜΑ δίσκου"},
		[2]string{"russian", "Ошибка диска"},
		[2]string{"torn", "caf\xc3 broken"},
	))
	checkFilters(t, part.Logs, places, []want{
		{"连接", "chinese mixed"},
		{"务连", "chinese"},
		{"接连", ""},
		{"*失败*", "chinese"},
		{"timeout", "mixed"},
		{"接続", "japanese"},
		{"サーバー", "japanese"},
		{"실패", "korean"},
		{"결제", "korean"},
		{"제결", ""},
		{"เชื่อมต่อ", "thai"},
		{"größe", "german"},
		{"GRÖßE", "german"},
		{"grösse", ""},
		{"öße", ""},
		{"ÜBER*", "german"},
		{"φαλμα", ""},
		{"σφαλμα", "greek"},
		{"ОШИБКА", "russian"},
		{"ошибк*", "russian"},
		{"broken", "torn"},
		{"-服务", "japanese korean thai german greek russian torn"},
		{"/服务.+接/", "chinese mixed"},
	})
}

// Of spans, words are also those of the status message, and of names and texts of events and links.
func TestWordsOfSpans(t *testing.T) {
	text := func(key, value string) model.Attrs { return model.Attrs{{Key: key, Value: model.StringValue(value)}} }
	places := spanPlaces(t, []named[model.Span]{
		{"name", model.Span{Name: "SELECT orders"}},
		{"status", model.Span{Name: "op", StatusMessage: "orders are locked"}},
		{"event", model.Span{Name: "op", Events: []model.SpanEvent{{Name: "exception", Attrs: text("exception.message", "no orders \"left\"")}}}},
		{"second", model.Span{Name: "op", Events: []model.SpanEvent{{Name: "start"}, {Name: "Orders read"}}}},
		{"link", model.Span{Name: "op", Links: []model.SpanLink{{TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, Attrs: text("reason", "retry of orders")}}}},
		{"attr", model.Span{Name: "op", Attrs: text("table", "orders")}},
		{"number", model.Span{Name: "op", Events: []model.SpanEvent{{Name: "n", Attrs: model.Attrs{{Key: "orders", Value: model.IntValue(503)}}}}}},
		{"none", model.Span{}},
	})
	checkFilters(t, part.Spans, places, []want{
		{"orders", "name status event second link"},
		{`"select orders"`, "name"},
		{`"orders are"`, "status"},
		{`"no orders"`, "event"},
		{"left", "event"},
		{`"orders \"left\""`, "event"},
		{"exception", "event"},
		{"retry", "link"},
		{"503", ""},
		{"/order/", "name status event link"},
		{"/^Orders/", "second"},
		{"/^op$/", "status event second link attr number"},
		{"-orders", "attr number none"},
		{"-/orders|Orders/", "attr number none"},
		{"orders -locked", "name event second link"},
		{"message:op", "status event second link attr number"},
		{"01000000000000000000000000000000", ""}, // a link's id is a field, no word
	})
}
