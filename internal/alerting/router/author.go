package router

import (
	"net/http"

	amapimodels "github.com/prometheus/alertmanager/api/v2/models"

	"github.com/signalbox-project/signalbox/internal/access"
)

// author says of a silence who made it: the proved identity where there is one, whatever the request claims.
func author(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		who := access.SubjectOf(req.Context(), "")
		if req.Method != http.MethodPost || req.URL.Path != apiSilences || who == "" {
			next.ServeHTTP(w, req)
			return
		}
		var s amapimodels.PostableSilence
		if err := readBody(req, &s); err != nil {
			say(w, http.StatusBadRequest, err.Error())
			return
		}
		s.CreatedBy = &who
		forward(next, w, req, &s)
	})
}
