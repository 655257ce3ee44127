package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/diagnose"
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

func (a *API) registerPages() {
	op := func(id, method, path, summary string) operation {
		return operation{id: id, method: method, path: path, tag: "pages", summary: summary, served: a.deps.Pages != nil, room: "pages"}
	}
	register(a, op("listPages", "", "/pages", "Who was paged, when and why"), a.listPages)
	register(a, op("ackPage", http.MethodPost, "/pages/{id}/ack", "Acknowledge a page"), a.ackPage)
	register(a, operation{
		id: "explainAlert", path: "/explain/{alert}", tag: "pages", summary: "Why was I paged?",
		served: a.deps.Explain != nil, room: "explanations",
	}, func(ctx context.Context, in *explainInput) (diagnose.Explanation, error) {
		return a.deps.Explain.Explain(ctx, in.Alert)
	})
}

func (a *API) listPages(ctx context.Context, in *pagesInput) (PagesResponse, error) {
	pages, err := a.deps.Pages.Pages(ctx, store.PageQuery{Status: in.Status, Limit: in.Limit})
	out := PagesResponse{Pages: pages}
	if err == nil && a.deps.PageSummary != nil {
		out.Summary = a.deps.PageSummary.SummarizePages(pages, a.now())
	}
	return out, err
}

func (a *API) ackPage(ctx context.Context, in *ackInput) (model.Page, error) {
	by := strings.TrimSpace(in.Body.By)
	if by == "" {
		return model.Page{}, badRequest("body.by: must name who acknowledges")
	}
	page, err := a.deps.Pages.AckPage(ctx, in.ID, by, a.now())
	if err == nil {
		a.audit(ctx, model.AuditEntry{Actor: by, Action: "page.ack", Subject: in.ID})
	}
	return page, err
}
