package api

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SLOsResponse is how the promises stand.
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
	RangeInput
	Name string `path:"name" maxLength:"300"`
	Step string `query:"step" maxLength:"32" doc:"distance of the points; by default about 60 of them"`
}

func (a *API) registerSLOs() {
	op := func(id, path, summary string) operation {
		return operation{id: id, path: path, tag: "slos", summary: summary, served: a.deps.SLOs != nil, room: "SLOs"}
	}
	register(a, op("listSLOs", "/slos", "How every SLO stands, worst first"), a.listSLOs)
	register(a, op("getSLO", "/slos/{name}", "How one SLO stands"), a.getSLO)
	register(a, op("sloHistory", "/slos/{name}/history", "A budget over time"), a.sloHistory)
	a.registerCorrections()
}

func (a *API) listSLOs(ctx context.Context, in *slosInput) (SLOsResponse, error) {
	slos, summary, err := a.deps.SLOs.SLOs(ctx, nameOf(in.Service))
	return SLOsResponse{SLOs: slos, Summary: summary, Time: a.now().UTC()}, err
}

func (a *API) getSLO(ctx context.Context, in *sloInput) (model.SLOStatus, error) {
	return a.deps.SLOs.SLO(ctx, in.Name)
}

func (a *API) sloHistory(ctx context.Context, in *sloHistoryInput) (model.SLOHistory, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return model.SLOHistory{}, err
	}
	step, err := parseStep(in.Step, end.Sub(start))
	if err != nil {
		return model.SLOHistory{}, err
	}
	return a.deps.SLOs.SLOHistory(ctx, in.Name, start, end, step)
}
