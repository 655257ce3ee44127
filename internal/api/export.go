package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/sheet"
	"github.com/signalbox-project/signalbox/internal/store"
)

type exportInput struct {
	Start   string `query:"start" maxLength:"64" doc:"as elsewhere; the beginning if absent"`
	End     string `query:"end" maxLength:"64" doc:"exclusive; no end if absent"`
	Actor   string `query:"actor" maxLength:"200"`
	Action  string `query:"action" maxLength:"200"`
	Tenant  string `query:"tenant" maxLength:"150" doc:"default has what concerns the installation too"`
	Subject string `query:"subject" maxLength:"2000"`
	Text    string `query:"text" maxLength:"400" doc:"somewhere in the entry, whatever the case of its letters"`
	Format  string `query:"format" enum:"jsonl,csv" default:"jsonl" doc:"jsonl is verified without Signalbox; csv is for spreadsheets"`
}

func (a *API) registerExport() {
	op := operation.Operation{
		ID: "exportAudit", Path: "/audit/export", Tag: "records", Permission: access.AuditRead, Work: front.Heavy, Summary: "Audit entries with the hashes that prove them, oldest first",
		Description: "One JSON object a line: `prev` and `hash` of the chain, and the `entry` byte by byte as it was hashed. A connection that breaks off before the end is an export that is not whole.",
		Served:      a.deps.Audit != nil, Room: "audit entries",
	}
	ho := a.ops.Huma(op)
	text := &huma.Schema{Type: huma.TypeString}
	ho.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"application/jsonl": {Schema: text}, "text/csv": {Schema: text}}}
	huma.Register(a.ops.API(), ho, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		if !op.Served {
			return nil, operation.NotServed(op)
		}
		start, end, err := operation.ParseRangeOf(in.Start, in.End, a.now(), math.MaxInt64)
		if err != nil {
			return nil, a.ops.FailureOf(ctx, err)
		}
		if in.Start == "" {
			start = time.Time{}
		}
		if in.End == "" {
			end = time.Time{} // one from a clock that is ahead is no gap in the chain
		}
		q := store.AuditQuery{
			Start: start, End: end, Actor: operation.NameOf(in.Actor), Action: operation.NameOf(in.Action), Tenant: auditTenant(ctx, in.Tenant), Subject: in.Subject, Text: in.Text,
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			a.export(w, r, q, in.Format)
		}}, nil
	})
}

// export writes until the last entry, or breaks the connection off: half an export must not look like a whole one.
func (a *API) export(w http.ResponseWriter, r *http.Request, q store.AuditQuery, format string) {
	kind, write := "application/jsonl", func(line []byte, _ model.AuditEntry) error {
		_, err := w.Write(append(line, '\n'))
		return err
	}
	var table *sheet.Writer
	if format == "csv" {
		rows := sheet.New(w)
		kind, table = "text/csv; charset=utf-8; header=present", &rows
		write = func(_ []byte, e model.AuditEntry) error { return rows.Write(rowOf(e)...) }
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="signalbox-audit.`+format+`"`)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	rows := 0
	var err error
	if table != nil {
		err = table.Write("id", "time", "actor", "action", "tenant", "subject", "details", "tampered")
	}
	if err == nil {
		err = a.deps.Audit.ExportAudit(r.Context(), q, func(line []byte, e model.AuditEntry) error {
			rows++
			return write(line, e)
		})
	}
	if table != nil && err == nil {
		err = table.End()
	}
	access.Note(r.Context(), access.NoteRows, strconv.Itoa(rows))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// rowOf is an entry for a spreadsheet.
func rowOf(e model.AuditEntry) []string {
	details, _ := json.Marshal(e.Details) // texts always encode
	return []string{strconv.FormatInt(e.ID, 10), e.Time.UTC().Format(time.RFC3339Nano), e.Actor, e.Action, e.Tenant, e.Subject, string(details), e.Tampered}
}
