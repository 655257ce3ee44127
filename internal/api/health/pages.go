package health

import (
	"context"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// PagesResponse lists who was paged.
type PagesResponse struct {
	Pages   []model.Page `json:"pages" doc:"newest first"`
	Summary string       `json:"summary"`
}

// AckRequest says who acknowledges.
type AckRequest struct {
	By string `json:"by" minLength:"1" maxLength:"200"`
}

type pagesInput struct {
	Status string `query:"status" enum:"firing,resolved"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

type ackInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body AckRequest
}

type explainInput struct {
	Alert string `path:"alert" maxLength:"300" doc:"an alert's name or fingerprint"`
}

func (h *handlers) registerPages() {
	op := func(id, method, path string, p access.Permission, summary string) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "pages", Permission: p, Summary: summary, Served: h.deps.Pages != nil, Room: "pages"}
	}
	operation.Register(h.Registry, op("listPages", "", "/pages", access.PagesRead, "Who was paged, when and why"), h.listPages)
	operation.Register(h.Registry, op("ackPage", http.MethodPost, "/pages/{id}/ack", access.PagesAck, "Acknowledge a page"), h.ackPage)
	operation.Register(h.Registry, operation.Operation{
		ID: "explainAlert", Path: "/explain/{alert}", Tag: "pages", Permission: access.PagesRead, Work: front.Question, Summary: "Why was I paged?",
		Served: h.deps.Explain != nil, Room: "explanations",
	}, func(ctx context.Context, in *explainInput) (diagnose.Explanation, error) {
		return h.deps.Explain.Explain(ctx, in.Alert)
	})
	operation.Register(h.Registry, operation.Operation{
		ID: "explainLabels", Path: "/explain", Tag: "pages", Permission: access.PagesRead, Work: front.Question, Summary: "Who would be paged?",
		Description: "Of an alert with these labels, whether or not there is one: its route, its level, its policy and the people.",
		Served:      h.deps.Explain != nil, Room: "explanations",
	}, func(ctx context.Context, in *supposeInput) (diagnose.Explanation, error) {
		labels, err := parseLabels(in.Labels)
		if err != nil {
			return diagnose.Explanation{}, err
		}
		return h.deps.Explain.Suppose(ctx, labels)
	})
}

type supposeInput struct {
	Labels string `query:"labels" maxLength:"4000" doc:"of the alert, name=value with commas between them" example:"service=edge,severity=critical"`
}

// parseLabels reads a=b,c=d.
func parseLabels(text string) (model.Labels, error) {
	out := model.Labels{}
	for _, pair := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, operation.BadRequest("labels: write name=value pairs with commas between them, such as service=edge,severity=critical; got %q", text)
		}
		out[name] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return out, nil
}

func (h *handlers) listPages(ctx context.Context, in *pagesInput) (PagesResponse, error) {
	pages, err := h.deps.Pages.Pages(ctx, store.PageQuery{Status: in.Status, Limit: in.Limit})
	out := PagesResponse{Pages: pages}
	if err == nil && h.deps.PageSummary != nil {
		out.Summary = h.deps.PageSummary.SummarizePages(pages, h.Now())
	}
	return out, err
}

func (h *handlers) ackPage(ctx context.Context, in *ackInput) (model.Page, error) {
	claimed := strings.TrimSpace(in.Body.By)
	by := access.SubjectOf(ctx, claimed)
	if by == "" {
		return model.Page{}, operation.BadRequest("body.by: must name who acknowledges")
	}
	at := h.Now()
	page, err := h.deps.Pages.AckPage(ctx, in.ID, by, at)
	if err == nil {
		entry := model.AuditEntry{Actor: claimed, Action: "page.ack", Subject: in.ID}
		evidence.NoteAck(&entry, page, at)
		h.Audit(ctx, entry)
	}
	return page, err
}
