package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	amapimodels "github.com/prometheus/alertmanager/api/v2/models"
	amlabels "github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/access"
)

const (
	apiAlerts   = "/api/v2/alerts"
	apiGroups   = "/api/v2/alerts/groups"
	apiSilences = "/api/v2/silences"
	apiSilence  = "/api/v2/silence/"
	// noSilence is the id of a silence that does not exist, whoever asks.
	noSilence = "00000000-0000-0000-0000-000000000000"
)

// keepApart shows who is bound to namespaces their alerts and silences alone, and lets them send and silence no others. An alert
// belongs to the namespace of its label. A silence belongs to those to which a matcher of it is confined; one without such a
// matcher, or that reaches further, belongs to who sees all. Silences and alerts that mute an alert are named to who sees the alert, by id.
func (r *Router) keepApart(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		scope := access.ScopeOf(req.Context())
		if scope.All {
			next.ServeHTTP(w, req)
			return
		}
		read := req.Method == http.MethodGet || req.Method == http.MethodHead
		switch path := req.URL.Path; {
		case read && (path == apiAlerts || path == apiGroups):
			next.ServeHTTP(w, onlyAlertsOf(scope, req))
		case read && path == apiSilences:
			held := &heldResponse{header: http.Header{}, code: http.StatusOK}
			next.ServeHTTP(held, req)
			onlySilencesOf(scope, held)
			held.release(w)
		case strings.HasPrefix(path, apiSilence) && (read || req.Method == http.MethodDelete):
			id := strings.TrimPrefix(path, apiSilence)
			if !r.reaches(req, scope, id) {
				id = noSilence
			}
			next.ServeHTTP(w, to(req, apiSilence+id))
		case path == apiSilences && req.Method == http.MethodPost:
			r.silenceWithin(scope, next, w, req)
		case path == apiAlerts && req.Method == http.MethodPost:
			alertWithin(scope, next, w, req)
		default: // status and receivers tell how everybody is reached
			say(w, http.StatusForbidden, "this shows the routing of all namespaces, and you see "+scope.Text()+" only")
		}
	})
}

// to is the request with another path.
func to(req *http.Request, path string) *http.Request {
	out := req.Clone(req.Context())
	out.URL.Path, out.URL.RawPath = path, ""
	return out
}

// onlyAlertsOf asks for alerts of a scope, beside whatever is asked.
func onlyAlertsOf(scope access.Scope, req *http.Request) *http.Request {
	quoted := make([]string, 0, len(scope.Names))
	for _, n := range scope.Names {
		if n != "" {
			quoted = append(quoted, regexp.QuoteMeta(n))
		}
	}
	pattern := strings.Join(quoted, "|")
	if pattern == "" {
		pattern = `[^\x00-\x{10FFFF}]` // matches nothing, where an empty one matches what has no namespace
	}
	out := req.Clone(req.Context())
	q := out.URL.Query()
	q.Add("filter", (&amlabels.Matcher{Type: amlabels.MatchRegexp, Name: access.NamespaceLabel, Value: pattern}).String())
	out.URL.RawQuery = q.Encode()
	return out
}

// confined says of matchers that all of what they match is of a namespace in the scope.
func confined(scope access.Scope, matchers []*silencepb.Matcher) bool {
	return slices.ContainsFunc(matchers, func(m *silencepb.Matcher) bool {
		if m.GetName() != access.NamespaceLabel {
			return false
		}
		values := []string{m.GetPattern()}
		switch m.GetType() {
		case silencepb.Matcher_EQUAL:
		case silencepb.Matcher_REGEXP: // names, and nothing that has to be thought about
			re, err := labels.NewMatcher(labels.MatchRegexp, access.NamespaceLabel, m.GetPattern())
			if err != nil {
				return false
			}
			values = re.SetMatches()
		default:
			return false
		}
		return len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool { return !scope.Sees(v) })
	})
}

// reaches says whether a scope sees the silence of an id.
func (r *Router) reaches(req *http.Request, scope access.Scope, id string) bool {
	found, _, err := r.silences.Query(req.Context(), silence.QIDs(id))
	if err != nil || len(found) != 1 || len(found[0].MatcherSets) == 0 {
		return false
	}
	return !slices.ContainsFunc(found[0].MatcherSets, func(ms *silencepb.MatcherSet) bool { return !confined(scope, ms.Matchers) })
}

// onlySilencesOf takes the others out of an answer; one that is not understood is not shown.
func onlySilencesOf(scope access.Scope, held *heldResponse) {
	if held.code != http.StatusOK {
		return
	}
	var all amapimodels.GettableSilences
	err := json.Unmarshal(held.body.Bytes(), &all)
	mine := amapimodels.GettableSilences{}
	for _, s := range all {
		if confined(scope, matchersOf(s.Matchers)) {
			mine = append(mine, s)
		}
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(mine)
	}
	if err != nil {
		held.code, text = http.StatusInternalServerError, []byte(strconv.Quote("the list of silences is not understood"))
	}
	held.body.Reset()
	held.body.Write(text)
	held.header.Del("Content-Length")
}

// matchersOf are an API's matchers as Alertmanager keeps them.
func matchersOf(in amapimodels.Matchers) (out []*silencepb.Matcher) {
	for _, m := range in {
		if m == nil || m.Name == nil || m.Value == nil || m.IsEqual != nil && !*m.IsEqual {
			continue // confines nothing
		}
		kind := silencepb.Matcher_EQUAL
		if m.IsRegex != nil && *m.IsRegex {
			kind = silencepb.Matcher_REGEXP
		}
		out = append(out, &silencepb.Matcher{Type: kind, Name: *m.Name, Pattern: *m.Value})
	}
	return out
}

// silenceWithin creates or changes a silence of the scope.
func (r *Router) silenceWithin(scope access.Scope, next http.Handler, w http.ResponseWriter, req *http.Request) {
	var s amapimodels.PostableSilence
	if err := readBody(req, &s); err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	if !confined(scope, matchersOf(s.Matchers)) {
		say(w, http.StatusForbidden, fmt.Sprintf("the silence reaches beyond the namespaces that you see: add a matcher %s=\"…\" with one of %s", access.NamespaceLabel, scope.Text()))
		return
	}
	if s.ID != "" && !r.reaches(req, scope, s.ID) {
		s.ID = noSilence
	}
	forward(next, w, req, &s)
}

// alertWithin takes the alerts of the scope, and answers which were refused.
func alertWithin(scope access.Scope, next http.Handler, w http.ResponseWriter, req *http.Request) {
	var all amapimodels.PostableAlerts
	if err := readBody(req, &all); err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	mine := amapimodels.PostableAlerts{}
	var refused []string
	for _, a := range all {
		if a == nil {
			continue
		}
		said := a.Labels[access.NamespaceLabel]
		namespace, ok := scope.Place(said)
		if !ok {
			refused = append(refused, fmt.Sprintf("alert %q: %s; set the label %s to one of these", a.Labels["alertname"], scope.RefusedSending(said), access.NamespaceLabel))
			continue
		}
		if a.Labels == nil {
			a.Labels = amapimodels.LabelSet{}
		}
		a.Labels[access.NamespaceLabel] = namespace
		mine = append(mine, a)
	}
	if len(refused) == 0 {
		forward(next, w, req, mine)
		return
	}
	held := &heldResponse{header: http.Header{}, code: http.StatusOK}
	forward(next, held, req, mine)
	if held.code == http.StatusOK {
		say(w, http.StatusBadRequest, fmt.Sprintf("%d of %d alerts were refused, the others were taken: %s", len(refused), len(all), strings.Join(refused[:min(len(refused), 10)], "\n")))
		return
	}
	held.release(w)
}

func readBody(req *http.Request, into any) error {
	text, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return errors.New("the body is not what this endpoint takes: " + err.Error())
	}
	return nil
}

// forward hands on what was judged, and not the text that it was read from.
func forward(next http.Handler, w http.ResponseWriter, req *http.Request, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	out := to(req, req.URL.Path)
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	out.Header.Set("Content-Length", strconv.Itoa(len(text)))
	out.TransferEncoding = nil
	next.ServeHTTP(w, out)
}

// say answers as Alertmanager does.
func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(text) // a client that is gone gets no answer
}
