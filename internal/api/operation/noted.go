package operation

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

// maxAsked bounds how much of a body the audit log keeps as what was asked.
const maxAsked = 4096

// note says for the audit log what was asked in a body and how much was answered, where the handler has not said so itself.
func (op Operation) note(ctx context.Context, in, out any) {
	a := access.From(ctx)
	if a == nil || a.Notes == nil {
		return
	}
	said := a.Notes.All()
	if said[access.NoteRows] == "" {
		access.Note(ctx, access.NoteRows, strconv.Itoa(rowsOf(reflect.ValueOf(out))))
	}
	if said[access.NoteQuery] == "" && op.Method == http.MethodPost && strings.HasSuffix(string(op.Permission), ".read") && op.Permission != access.UnmaskedRead {
		if body := reflect.Indirect(reflect.ValueOf(in)).FieldByName("Body"); body.IsValid() {
			text, _ := json.Marshal(body.Interface()) // what was decoded from JSON encodes
			access.Note(ctx, access.NoteQuery, strings.ToValidUTF8(string(text[:min(len(text), maxAsked)]), ""))
		}
	}
}

// rowsOf is how long the first list of an answer is; an answer without one is one row.
func rowsOf(v reflect.Value) int {
	if v = reflect.Indirect(v); v.Kind() == reflect.Slice {
		return v.Len()
	}
	if v.Kind() != reflect.Struct {
		return 1
	}
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && v.Type().Field(i).IsExported() {
			return f.Len()
		}
	}
	return 1
}
