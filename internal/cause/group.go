package cause

import (
	"github.com/signalbox-project/signalbox/internal/model"
)

// Group is a cause with all that it makes fail.
type Group struct {
	Cause    model.Cause `json:"cause"`
	Services []string    `json:"services" doc:"that fail of it, the one where it lies first"`
	SLOs     []string    `json:"slos" doc:"that burn of it, those of the service where it lies first"`
	Text     string      `json:"text" doc:"one sentence"`
}
