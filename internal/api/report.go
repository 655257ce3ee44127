package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

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

func (a *API) registerReports() {
	op := operation{
		id: "getReport", path: "/report", tag: "slos", summary: "What was promised and kept in a period",
		description: "The same request with the same as_of gives the same answer. Markdown and CSV name a file in Content-Disposition; so does JSON with download=true.",
		served:      a.deps.Reports != nil, room: "reports",
	}
	ho := a.humaOperation(op)
	report := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[paper.Report](), true, "")
	text := &huma.Schema{Type: huma.TypeString}
	ho.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: report}, "text/markdown": {Schema: text}, "text/csv": {Schema: text}, "text/plain": {Schema: text},
	}}
	huma.Register(a.huma, ho, func(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
		if !op.served {
			return nil, notServed(op)
		}
		file, err := a.report(ctx, in)
		if err != nil {
			return nil, a.failureOf(ctx, err)
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

func (a *API) report(ctx context.Context, in *reportInput) (paper.File, error) {
	req := paper.Request{
		Period: in.Period, Audience: in.Audience, Service: nameOf(in.Service), SLO: nameOf(in.SLO), Team: nameOf(in.Team), Months: in.Months, AsOf: a.now(),
	}
	var err error
	if req.Zone, err = time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "Local" {
		return paper.File{}, badRequest("time_zone: %q is not in the IANA database; write it as Europe/Berlin", in.TimeZone)
	}
	if req.Period != "" && in.Start+in.End != "" {
		return paper.File{}, badRequest("period: give either a period or start and end")
	}
	if in.Start == "" && in.End != "" {
		return paper.File{}, badRequest("start: missing; give both start and end, or a period")
	}
	for _, at := range []struct {
		name, text string
		dst        *time.Time
	}{{"as_of", in.AsOf, &req.AsOf}, {"start", in.Start, &req.Start}, {"end", in.End, &req.End}} {
		if at.text == "" {
			continue
		}
		if *at.dst, err = a.reportTime(at.text, req.Zone); err != nil {
			return paper.File{}, badRequest("%s: %v", at.name, err)
		}
	}
	switch {
	case in.Start != "" && in.End == "":
		req.End = req.AsOf
	case req.Period == "" && in.Start == "":
		req.Period = "last-month"
	}
	r, err := a.deps.Reports.Report(ctx, req)
	if err != nil {
		return paper.File{}, err
	}
	return a.deps.Reports.ReportFile(r, in.Format)
}

// reportTime is a date in a zone, or whatever else is a time.
func (a *API) reportTime(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, nil
	}
	return parseTime(text, a.now())
}
