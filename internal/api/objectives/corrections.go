package objectives

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Corrector keeps what people take out of SLOs; slo.Engine does.
type Corrector interface {
	Corrections(ctx context.Context, slo string) ([]model.SLOCorrection, error)
	Correct(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error)
	Uncorrect(ctx context.Context, slo, id string) error
}

// CorrectionsResponse lists what was taken out of an SLO.
type CorrectionsResponse struct {
	Corrections []model.SLOCorrection `json:"corrections" doc:"oldest first"`
}

// CorrectionDeleted answers which correction was taken back.
type CorrectionDeleted struct {
	ID string `json:"id"`
}

type correctInput struct {
	Name string `path:"name" maxLength:"300"`
	Body model.SLOCorrection
}

type uncorrectInput struct {
	Name  string `path:"name" maxLength:"300"`
	ID    string `path:"id" maxLength:"200"`
	Actor string `query:"actor" maxLength:"200" doc:"who takes it back, for the audit trail"`
}

func (h *handlers) registerCorrections() {
	corrector := h.deps.Corrections
	op := func(id, method, path string, p access.Permission, summary string) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "slos", Permission: p, Summary: summary, Served: corrector != nil, Room: "SLO corrections"}
	}
	operation.Register(h.Registry, op("listSLOCorrections", http.MethodGet, "/slos/{name}/corrections", access.SLOsRead, "What does not count against an SLO"),
		func(ctx context.Context, in *sloInput) (CorrectionsResponse, error) {
			if err := h.visible(ctx, in.Name); err != nil {
				return CorrectionsResponse{}, err
			}
			list, err := corrector.Corrections(ctx, in.Name)
			return CorrectionsResponse{Corrections: list}, err
		})
	add := op("correctSLO", http.MethodPost, "/slos/{name}/corrections", access.SLOsCorrect, "Take a span of time out of an SLO")
	add.Status = http.StatusCreated
	operation.Register(h.Registry, add, func(ctx context.Context, in *correctInput) (model.SLOCorrection, error) {
		if err := h.visible(ctx, in.Name); err != nil {
			return model.SLOCorrection{}, err
		}
		claimed := in.Body.Author
		in.Body.SLO, in.Body.Author = in.Name, access.SubjectOf(ctx, claimed)
		c, err := corrector.Correct(ctx, in.Body)
		if err == nil {
			entry := model.AuditEntry{Actor: claimed, Action: "slo.correct", Subject: c.SLO, Details: map[string]string{
				"id": c.ID, "kind": c.Kind, "reason": c.Reason, "start": c.Start.Format(time.RFC3339), "end": c.End.Format(time.RFC3339),
			}}
			evidence.Note(&entry, evidence.OfCorrection(c))
			h.Audit(ctx, entry)
		}
		return c, err
	})
	operation.Register(h.Registry, op("uncorrectSLO", http.MethodDelete, "/slos/{name}/corrections/{id}", access.SLOsCorrect, "Take a correction back"),
		func(ctx context.Context, in *uncorrectInput) (CorrectionDeleted, error) {
			if err := h.visible(ctx, in.Name); err != nil {
				return CorrectionDeleted{}, err
			}
			err := corrector.Uncorrect(ctx, in.Name, in.ID)
			if err == nil {
				entry := model.AuditEntry{Actor: in.Actor, Action: "slo.uncorrect", Subject: in.Name, Details: map[string]string{"id": in.ID}}
				evidence.Note(&entry, evidence.OfCorrection(model.SLOCorrection{ID: in.ID}).Without())
				h.Audit(ctx, entry)
			}
			return CorrectionDeleted{ID: in.ID}, err
		})
}
