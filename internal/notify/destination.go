package notify

import (
	"github.com/signalbox-project/signalbox/internal/model"
)

// Destination is where an alert is routed.
type Destination struct {
	Receiver string
	Group    model.Labels // labels that alerts are grouped by
}
