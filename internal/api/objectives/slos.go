package objectives

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
)

// SLOsResponse is how the SLOs stand.
type SLOsResponse struct {
	SLOs    []model.SLOStatus `json:"slos" doc:"worst first"`
	Summary string            `json:"summary"`
	Time    time.Time         `json:"time"`
}

type slosInput struct {
	Service string `query:"service" maxLength:"200"`
}

type sloInput struct {
	Name string `path:"name" maxLength:"300"`
}

type sloHistoryInput struct {
	operation.RangeInput
	Name string `path:"name" maxLength:"300"`
	Step string `query:"step" maxLength:"32" doc:"distance of the points; by default about 60 of them"`
}

func (h *handlers) registerSLOs() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "slos", Permission: access.SLOsRead, Summary: summary, Served: h.deps.SLOs != nil, Room: "SLOs"}
	}
	operation.Register(h.Registry, op("listSLOs", "/slos", "How every SLO stands, worst first"), h.listSLOs)
	operation.Register(h.Registry, op("getSLO", "/slos/{name}", "How one SLO stands"), h.getSLO)
	operation.Register(h.Registry, op("sloHistory", "/slos/{name}/history", "A budget over time"), h.sloHistory)
	h.registerCorrections()
}

func (h *handlers) listSLOs(ctx context.Context, in *slosInput) (SLOsResponse, error) {
	slos, summary, err := h.deps.SLOs.SLOs(ctx, operation.NameOf(in.Service))
	slos, summary = visibleOf(ctx, slos, summary)
	return SLOsResponse{SLOs: slos, Summary: summary, Time: h.Now().UTC()}, err
}

func (h *handlers) getSLO(ctx context.Context, in *sloInput) (model.SLOStatus, error) {
	if err := h.visible(ctx, in.Name); err != nil {
		return model.SLOStatus{}, err
	}
	s, err := h.deps.SLOs.SLO(ctx, in.Name)
	if err != nil || access.ScopeOf(ctx).All {
		return s, err
	}
	all, _, err := h.deps.SLOs.SLOs(ctx, "")
	return hideParts(ctx, s, all), err
}

func (h *handlers) sloHistory(ctx context.Context, in *sloHistoryInput) (model.SLOHistory, error) {
	start, end, err := operation.ParseRange(in.Start, in.End, h.Now())
	if err != nil {
		return model.SLOHistory{}, err
	}
	step, err := operation.ParseStep(in.Step, end.Sub(start))
	if err != nil {
		return model.SLOHistory{}, err
	}
	if err := h.visible(ctx, in.Name); err != nil {
		return model.SLOHistory{}, err
	}
	return h.deps.SLOs.SLOHistory(ctx, in.Name, start, end, step)
}
