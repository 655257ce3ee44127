package objectives

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// Reports says what was promised and kept in a period.
type Reports interface {
	Report(ctx context.Context, req paper.Request) (paper.Report, error)
	// ReportFile is a report as json, md, csv or text.
	ReportFile(r paper.Report, format string) (paper.File, error)
}

type reportInput struct {
	Period   string `query:"period" maxLength:"64" doc:"2026-10, 2026-Q4, 2026, last-month, this-month, last-28d or another number of days; last-month if absent and there is no start" example:"last-month"`
	Start    string `query:"start" maxLength:"64" doc:"instead of period: a date such as 2026-10-01 (midnight in time_zone), RFC 3339, Unix time, now-28d"`
	End      string `query:"end" maxLength:"64" doc:"as start, exclusive; now if absent"`
	TimeZone string `query:"time_zone" maxLength:"100" default:"UTC" doc:"where months and days begin, of the IANA database" example:"Europe/Berlin"`
	Audience string `query:"audience" enum:"customer,internal" default:"customer"`
	Service  string `query:"service" maxLength:"200" doc:"only SLOs of this service"`
	SLO      string `query:"slo" maxLength:"300" doc:"only this SLO"`
	Team     string `query:"team" maxLength:"200" doc:"only SLOs with this label team"`
	Months   int    `query:"months" minimum:"1" maximum:"24" default:"6" doc:"periods in the trend, this one included"`
	AsOf     string `query:"as_of" maxLength:"64" doc:"what the report knows; now if absent"`
	Format   string `query:"format" enum:"json,md,csv,text" default:"json"`
	Download bool   `query:"download" doc:"answer it as a file to be saved"`
}

func (h *handlers) registerReports() {
	op := operation.Operation{
		ID: "getReport", Path: "/report", Tag: "slos", Permission: access.SLOsRead, Work: front.Heavy, Summary: "What was promised and kept in a period",
		Description: "The same request with the same as_of gives the same answer. Markdown and CSV name a file in Content-Disposition; so does JSON with download=true.",
		Served:      h.deps.Reports != nil, Room: "reports",
	}
	ho := h.Huma(op)
	report := h.API().OpenAPI().Components.Schemas.Schema(reflect.TypeFor[paper.Report](), true, "")
	text := &huma.Schema{Type: huma.TypeString}
	ho.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: report}, "text/markdown": {Schema: text}, "text/csv": {Schema: text}, "text/plain": {Schema: text},
	}}
	huma.Register(h.API(), ho, func(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
		if !op.Served {
			return nil, operation.NotServed(op)
		}
		file, err := h.report(ctx, in)
		if err != nil {
			return nil, h.FailureOf(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			w.Header().Set("Content-Type", file.ContentType)
			if in.Download || in.Format == "md" || in.Format == "csv" {
				w.Header().Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
			}
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(file.Content) // the client went away: nobody to tell
		}}, nil
	})
}

func (h *handlers) report(ctx context.Context, in *reportInput) (paper.File, error) {
	if in.Audience == "internal" { // pages, deployments and decisions do not tell namespaces apart
		if err := forAll(ctx, "internal reports"); err != nil {
			return paper.File{}, err
		}
	}
	if name := operation.NameOf(in.SLO); name != "" {
		if err := h.visible(ctx, name); err != nil {
			return paper.File{}, err
		}
	}
	req := paper.Request{
		Period: in.Period, Audience: in.Audience, Service: operation.NameOf(in.Service), SLO: operation.NameOf(in.SLO), Team: operation.NameOf(in.Team), Months: in.Months, AsOf: h.Now(),
	}
	if scope := access.ScopeOf(ctx); !scope.All {
		req.Namespaces = slices.DeleteFunc(append([]string{}, scope.Names...), func(n string) bool { return n == "" })
	}
	var err error
	if req.Zone, err = time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "Local" {
		return paper.File{}, operation.BadRequest("time_zone: %q is not in the IANA database; write it as Europe/Berlin", in.TimeZone)
	}
	if req.Period != "" && in.Start+in.End != "" {
		return paper.File{}, operation.BadRequest("period: give either a period or start and end")
	}
	if in.Start == "" && in.End != "" {
		return paper.File{}, operation.BadRequest("start: missing; give both start and end, or a period")
	}
	for _, at := range []struct {
		name, text string
		dst        *time.Time
	}{{"as_of", in.AsOf, &req.AsOf}, {"start", in.Start, &req.Start}, {"end", in.End, &req.End}} {
		if at.text == "" {
			continue
		}
		if *at.dst, err = h.reportTime(at.text, req.Zone); err != nil {
			return paper.File{}, operation.BadRequest("%s: %v", at.name, err)
		}
	}
	switch {
	case in.Start != "" && in.End == "":
		req.End = req.AsOf
	case req.Period == "" && in.Start == "":
		req.Period = "last-month"
	}
	r, err := h.deps.Reports.Report(ctx, req)
	if err != nil {
		return paper.File{}, err
	}
	access.Note(ctx, access.NoteRows, strconv.Itoa(len(r.SLOs)))
	return h.deps.Reports.ReportFile(r, in.Format)
}

// reportTime is a date in a zone, or whatever else is a time.
func (h *handlers) reportTime(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, nil
	}
	return operation.ParseTime(text, h.Now())
}
