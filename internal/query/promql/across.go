package promql

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// AcrossRoutes are the endpoints that NewAcross answers.
func AcrossRoutes() []string {
	return []string{
		"GET " + Prefix + "/query", "POST " + Prefix + "/query", "GET " + Prefix + "/query_range", "POST " + Prefix + "/query_range",
		"GET " + Prefix + "/query_exemplars", "POST " + Prefix + "/query_exemplars", "POST " + Prefix + "/read",
		"GET " + Prefix + "/series", "POST " + Prefix + "/series", "GET " + Prefix + "/labels", "POST " + Prefix + "/labels", "GET " + Prefix + "/label/{name}/values",
	}
}

// AcrossStorage is what NewAcross reads.
type AcrossStorage interface {
	storage.SampleAndChunkQueryable
	storage.ExemplarQueryable
}

// NewAcross is the part of the API that asks nothing but series, over those of a store, whoever they belong to.
func NewAcross(e *Engine, of AcrossStorage) (http.Handler, error) {
	cors, err := e.cfg.cors()
	if err != nil {
		return nil, err
	}
	deps := withDefaults(APIDeps{})
	info := newRuntimeInfo(deps)
	api := apiv1.NewAPI(
		noting{e.engine}, of, nil, nil, of,
		func(context.Context) apiv1.ScrapePoolsRetriever { return noTargets{} },
		func(context.Context) apiv1.TargetRetriever { return noTargets{} },
		func(context.Context) apiv1.AlertmanagerRetriever { return ourselves{deps.ExternalURL, nil} },
		func() config.Config { return config.DefaultConfig }, map[string]string{}, apiv1.GlobalURLOptions{},
		func(h http.HandlerFunc) http.HandlerFunc { return h },
		nil, "", false, false, 0, instrument.Silent(),
		func(context.Context) apiv1.RulesRetriever { return noRules{} },
		e.cfg.RemoteReadSamples, e.cfg.RemoteReadConcurrency, remoteReadFrameBytes, false, cors, info.get, info.build(),
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		deps.Gatherer, nil, nil, false, nil, false, false, false, false,
		time.Duration(e.cfg.Lookback), false, false, nil, e.features, apiv1.OpenAPIOptions{}, e.parser,
	)
	r := route.New().WithPrefix(Prefix)
	api.Register(r)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == Prefix+"/read" {
			r.ServeHTTP(w, noteRead(req))
			return
		}
		r.ServeHTTP(w, noteSelectors(req))
	}), nil
}
