package record

import (
	"maps"

	amalert "github.com/prometheus/alertmanager/alert"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Harmless are alerts without links that a browser would run: they go into e-mails, chats and pages, where people press them. The
// alert itself stays, since somebody is to be paged by it. What was sent is not changed.
func Harmless(alerts []*amalert.Alert) []*amalert.Alert {
	out := make([]*amalert.Alert, len(alerts))
	for i, a := range alerts {
		out[i] = a
		generator := weblink.OrNone(a.GeneratorURL)
		annotations := maps.Clone(a.Annotations)
		maps.DeleteFunc(annotations, func(_ prommodel.LabelName, v prommodel.LabelValue) bool { return weblink.Runs(string(v)) })
		if generator != a.GeneratorURL || len(annotations) != len(a.Annotations) {
			to := *a
			to.GeneratorURL, to.Annotations = generator, annotations
			out[i] = &to
		}
	}
	return out
}
