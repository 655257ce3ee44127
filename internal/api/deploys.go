package api

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
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

func (a *API) registerDeploys() {
	served := a.deps.Deploys != nil
	register(a, operation{
		id: "listDeploys", path: "/deploys", tag: "deploys", summary: "Deployment markers", served: served, room: "deployments",
	}, a.listDeploys)
	register(a, operation{
		id: "markDeploy", method: http.MethodPost, path: "/deploys", tag: "deploys", summary: "Record a deployment",
		status: http.StatusCreated, served: served, room: "deployments",
	}, a.markDeploy)
}

func (a *API) markDeploy(ctx context.Context, in *deployInput) (model.Deploy, error) {
	d, err := a.deps.Deploys.AddDeploy(ctx, in.Body)
	if err != nil {
		return model.Deploy{}, err
	}
	a.audit(ctx, model.AuditEntry{Actor: d.Actor, Action: "deploy.mark", Subject: d.Service, Details: map[string]string{
		"id": d.ID, "version": d.Version, "environment": d.Environment, "kind": d.Kind, "status": d.Status,
	}})
	return d, nil
}

func (a *API) listDeploys(ctx context.Context, in *deploysInput) (DeploysResponse, error) {
	start, end, err := parseRangeOf(in.Start, in.End, a.now(), deployRange)
	if err != nil {
		return DeploysResponse{}, err
	}
	list, err := a.deps.Deploys.Deploys(ctx, store.DeployQuery{
		Service: nameOf(in.Service), Environment: nameOf(in.Environment), Start: start, End: end, Limit: in.Limit,
	})
	return DeploysResponse{Deploys: list}, err
}
