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
		{"an attribute with the name of a field", "tenant:acme", Fields{Own: store.LogFieldNames(), Seen: []string{"service", "attr.tenant"}}, []string{`nothing in this time range has the field "tenant", but an attribute has that name: attr.tenant`}},
		{"an attribute asked for as in SQL", "attr.http.route:/x", logs, []string{`nothing in this time range has the field "attr.http.route"; did you mean "http.route"?`}},
		{"a member asked for as in SQL", "attr.http.status:503", logs, []string{`nothing in this time range has the field "attr.http.status"; did you mean "http.status"?`}},
		{"a time that nothing has", "timestamp:<2020-01-01T00:00:00Z", Fields{Own: store.LogFieldNames(), Seen: []string{"service", "attr.timestamp"}}, nil},
		{"such an attribute asked for as such", "attr.tenant:acme", Fields{Own: store.LogFieldNames(), Seen: []string{"tenant", "attr.tenant"}}, nil},
		{"above the highest level", "level:>fatal", logs, []string{"no level is above fatal: write level:fatal"}},
		{"below the lowest level", "level:<trace", logs, []string{"no level is below trace: write level:trace"}},
		{"the highest level itself", "level:>=fatal", logs, nil},
		{"a duration below 0", "duration:<0", spans, []string{"a duration is never below 0"}},
		{"two values of a field with one", "service:a boom service:b", spans, []string{"service has one value, it is not both a and b: write service:(a OR b)"}},
		{"two values of an attribute, which may have both", "user.id:1 user.id:2", logs, nil},
		{"one value twice", "service:a service:a duration:1s duration:1000ms", spans, nil},
		{"bounds the wrong way round", "x OR (duration:>5s duration:<1s)", spans, []string{"no duration is >5s and <1s at once"}},
		{"bounds that touch", "duration:(>1s <=1s)", spans, []string{"no duration is >1s and <=1s at once"}},
		{"bounds that leave one value", "duration:(>=1s <=1s)", spans, nil},
		{"a value beyond a bound", "duration:3s duration:<2s", spans, []string{"no duration is =3s and <2s at once"}},
		{"levels the wrong way round", "level:>warn level:info", logs, []string{"no level is >warn and =info at once"}},
		{"a number against a text", "user.id:>abc", logs, []string{`"abc" is no number: texts alone are compared with it, by their letters`}},
		{"of what is there nothing is known", "lvl:error level:>fatal", Fields{Own: store.LogFieldNames()}, []string{"no level is above fatal: write level:fatal"}},
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
