package fit

import (
	"slices"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

func TestWhatAMessageSaysInOneLine(t *testing.T) {
	page := &model.Page{Title: "edge is\ndown", Summary: " everything fails ", AckedBy: "ann"}
	for _, c := range []struct {
		m    notify.Message
		want string
	}{
		{notify.Message{Kind: notify.Paged, Level: "P0", Title: "t"}, "🔴 P0 · t"},
		{notify.Message{Kind: notify.Noticed, Page: page}, "🟠 edge is down"},
		{notify.Message{Kind: notify.Acknowledged, Page: page, Title: "t"}, "👀 Acknowledged by ann: t"},
		{notify.Message{Kind: notify.Acknowledged, Title: "t"}, "👀 Acknowledged: t"},
		{notify.Message{Kind: notify.Resolved, Title: "t"}, "✅ Resolved: t"},
		{notify.Message{Kind: notify.Drill}, "🧪 Drill: (no title)"},
		{notify.Message{Kind: notify.Drill, Level: "P0", Title: "Drill: t"}, "🧪 Drill: P0 · t"},
		{notify.Message{Kind: notify.Told, Title: "t"}, "t"},
	} {
		if got := Marked(c.m); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := Body(notify.Message{Page: page}); got != "everything fails" {
		t.Errorf("%q", got)
	}
	if got := Body(notify.Message{Page: page, Text: "a\nb"}); got != "a\nb" {
		t.Errorf("%q", got)
	}
	a := model.PageAlert{Labels: model.Labels{"b": "2\n3", "a": "1", notify.AcknowledgeURL: "https://x"}}
	if got := Labels(a); !slices.Equal(got, []string{"a=1", "b=2 3"}) {
		t.Errorf("%q", got)
	}
}
