package app

import (
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/config"
)

// atRest says what encrypts each part of what is kept: the storage folder and secrets as was set at the start, which refuses
// anything else, the event store as is set for it, and some of that may be left that is kept as before.
func atRest(start config.Config, events, eventsLeft bool) []api.AtRest {
	by := func(own string, is bool) []string {
		out := []string{}
		if start.Storage.Encrypt {
			out = append(out, "storage.encrypt")
		}
		if is {
			out = append(out, own)
		}
		return out
	}
	return []api.AtRest{
		{Part: "samples", By: by("", false)},
		{Part: "events", By: by("events.encrypt", events), Partly: eventsLeft},
		{Part: "state", By: by("", false)},
		{Part: "secrets", By: by("seal.keys", len(start.Seal.Keys) > 0 && !start.Seal.Undo)},
	}
}
