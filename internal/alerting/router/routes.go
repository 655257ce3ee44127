package router

import (
	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
)

// Endpoints are those of Alertmanager's API v2 with the permission of each.
func Endpoints() *front.Routes {
	const prefix = "/api/v2"
	return front.NewRoutes(
		front.Route{Pattern: "GET " + prefix + "/status", Permission: access.AlertsRead},
		front.Route{Pattern: "GET " + prefix + "/receivers", Permission: access.AlertsRead},
		front.Route{Pattern: "GET " + prefix + "/alerts", Permission: access.AlertsRead},
		front.Route{Pattern: "GET " + prefix + "/alerts/groups", Permission: access.AlertsRead},
		front.Route{Pattern: "POST " + prefix + "/alerts", Permission: access.AlertsSend},
		front.Route{Pattern: "GET " + prefix + "/silences", Permission: access.AlertsRead},
		front.Route{Pattern: "POST " + prefix + "/silences", Permission: access.SilencesWrite},
		front.Route{Pattern: "GET " + prefix + "/silence/{id}", Permission: access.AlertsRead},
		front.Route{Pattern: "DELETE " + prefix + "/silence/{id}", Permission: access.SilencesWrite},
	)
}
