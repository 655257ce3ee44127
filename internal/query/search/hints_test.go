package search

import (
	"slices"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

func TestAFilterThatCannotFindAnythingSaysWhy(t *testing.T) {
	logs := Fields{Own: store.LogFieldNames(), Seen: []string{"http", "http.route", "user.id", "status"}}
	spans := Fields{Own: store.SpanFieldNames(), Seen: []string{"http.route", "exception.type"}}
	for _, c := range []struct {
		name, filter string
		known        Fields
		want         []string
	}{
		{"all is known", "service:edge http.route:/x user.id:*", logs, nil},
		{"a member of an object", "http.response.status_code:503", logs, nil},
		{"an abbreviation", "lvl:error", logs, []string{`nothing in this time range has the field "lvl"; did you mean "level"?`}},
		{"a letter too few", "servce:edge", logs, []string{`nothing in this time range has the field "servce"; did you mean "service"?`}},
		{"an attribute", "user.ids:7 OR user.ids:8", logs, []string{`nothing in this time range has the field "user.ids"; did you mean "user.id"?`}},
		{"like none", "qqq:/x/", logs, []string{`nothing in this time range has the field "qqq"`}},
		{"what is negated may lack it", "-lvl:debug", logs, nil},
		{"a span's field among logs", "duration:>1s", logs, []string{`nothing in this time range has the field "duration"`}},
		{"an attribute that is a span's field", "status:200", logs, nil},
		{"a status that is none", "status:eror", spans, []string{`status is never "eror", but one of unset, ok, error; did you mean "error"?`}},
		{"a kind that is none", "kind:SERVER", spans, []string{`kind is never "SERVER", but one of internal, server, client, producer, consumer; did you mean "server"?`}},
		{"a duration that is none", "duration:abc", spans, []string{`"abc" is no duration: write 300ms, 1.5s or nanoseconds`}},
		{"an event's field", "event.exception.type:X", spans, nil},
		{"words alone", `timeout "connection reset" /x/`, spans, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := filter.Parse(c.filter)
			if err != nil {
				t.Fatal(err)
			}
			if got := Hints(e, c.known); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
