package promql

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/access"
)

// metadataApart answers metadata. Who is bound to namespaces is told of the metrics of which they see a series: metadata itself says of
// no namespace whose it is.
func (a *API) metadataApart(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(withPushedMetadata(r.Context()))
	if access.ScopeOf(r.Context()).All {
		a.router.ServeHTTP(w, r)
		return
	}
	names, err := a.namesSeen(r.Context())
	if err != nil {
		http.Error(w, "the names of metrics cannot be read", http.StatusInternalServerError)
		return
	}
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 0 {
		limit = len(names) // what is no number is refused by the API itself
	} else {
		q.Del("limit") // it would be of what is left out, too
	}
	r.URL.RawQuery = q.Encode()
	a.changed(w, r, func(answer any) any {
		top, _ := answer.(map[string]any)
		data, ok := top["data"].(map[string]any)
		if !ok {
			return answer // an error
		}
		kept := map[string]any{}
		for _, family := range names {
			if one, ok := data[family]; ok && len(kept) < limit {
				kept[family] = one
			}
		}
		top["data"] = kept
		return answer
	})
}

// namesSeen are the names of metrics and of the families that series of such names are of, of which the caller sees one.
func (a *API) namesSeen(ctx context.Context) (_ []string, err error) {
	q, err := querierApart(a.storage, 0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	names, _, err := q.LabelValues(ctx, labels.MetricName, nil)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(names)
	for _, n := range names {
		for _, suffix := range []string{"_total", "_bucket", "_count", "_sum", "_info", "_created"} {
			if family, ok := strings.CutSuffix(n, suffix); ok {
				all = append(all, family)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
