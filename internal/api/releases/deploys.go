package releases

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/store"
)

// DeploysResponse lists deployment markers.
type DeploysResponse struct {
	Deploys []model.Deploy `json:"deploys" doc:"newest first"`
}

// deployRange is the range of deployments where none is asked for: they are
// far rarer than telemetry.
const deployRange = 7 * 24 * time.Hour

type deploysInput struct {
	Start       string `query:"start" maxLength:"64" doc:"as elsewhere; a week before end if absent"`
	End         string `query:"end" maxLength:"64"`
	Service     string `query:"service" maxLength:"200"`
	Environment string `query:"environment" maxLength:"200"`
	Limit       int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type deployInput struct {
	Body model.Deploy
}

func (h *handlers) registerDeploys() {
	served := h.deps.Deploys != nil
	operation.Register(h.Registry, operation.Operation{
		ID: "listDeploys", Path: "/deploys", Tag: "deploys", Permission: access.DeploysRead, Summary: "Deployment markers", Served: served, Room: "deployments",
	}, h.listDeploys)
	operation.Register(h.Registry, operation.Operation{
		ID: "markDeploy", Method: http.MethodPost, Path: "/deploys", Tag: "deploys", Permission: access.DeploysWrite, Summary: "Record a deployment",
		Status: http.StatusCreated, Served: served, Room: "deployments",
	}, h.markDeploy)
}

func (h *handlers) markDeploy(ctx context.Context, in *deployInput) (model.Deploy, error) {
	if err := weblink.Check(in.Body.Link); err != nil {
		return model.Deploy{}, operation.BadRequest("body.link: %v", err)
	}
	claimed := in.Body.Actor
	in.Body.Actor = access.SubjectOf(ctx, claimed)
	d, err := h.deps.Deploys.AddDeploy(ctx, in.Body)
	if err != nil {
		return model.Deploy{}, err
	}
	h.Audit(ctx, model.AuditEntry{Actor: claimed, Action: "deploy.mark", Subject: d.Service, Details: map[string]string{
		"id": d.ID, "version": d.Version, "environment": d.Environment, "kind": d.Kind, "status": d.Status,
	}})
	return d, nil
}

func (h *handlers) listDeploys(ctx context.Context, in *deploysInput) (DeploysResponse, error) {
	start, end, err := operation.ParseRangeOf(in.Start, in.End, h.Now(), deployRange)
	if err != nil {
		return DeploysResponse{}, err
	}
	list, err := h.deps.Deploys.Deploys(ctx, store.DeployQuery{
		Service: operation.NameOf(in.Service), Environment: operation.NameOf(in.Environment), Start: start, End: end, Limit: in.Limit,
	})
	return DeploysResponse{Deploys: list}, err
}
