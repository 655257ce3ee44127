package operation

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestWhatIsNotedOfAnAnswer(t *testing.T) {
	type list struct {
		Summary string
		Rows    []int
	}
	type ask struct{ Body struct{ Service string } }
	in := &ask{}
	in.Body.Service = "edge"
	for _, c := range []struct {
		name       string
		op         Operation
		out        any
		said       string
		rows, text string
	}{
		{"a list", Operation{Permission: access.GateRead}, list{Rows: []int{1, 2}}, "", "2", ""},
		{"one thing", Operation{Permission: access.GateRead}, &struct{ Name string }{}, "", "1", ""},
		{"what the handler says counts", Operation{Permission: access.GateRead}, list{}, "7 spans", "7 spans", ""},
		{"a question in a body", Operation{Method: "POST", Permission: access.GateRead}, list{}, "", "0", `{"Service":"edge"}`},
		{"somebody's identifier is not kept", Operation{Method: "POST", Permission: access.UnmaskedRead}, list{}, "", "0", ""},
		{"what is no question is not", Operation{Method: "POST", Permission: access.TokensOwn}, list{}, "", "0", ""},
	} {
		a := &access.Access{Notes: &access.Notes{}}
		ctx := access.With(t.Context(), a)
		if c.said != "" {
			access.Note(ctx, access.NoteRows, c.said)
		}
		c.op.note(ctx, in, c.out)
		if got := a.Notes.All(); got[access.NoteRows] != c.rows || got[access.NoteQuery] != c.text {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
