package promql

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// masked answers what shows configuration, without its secrets: Prometheus
// hides the fields that are meant for them, and shows those in URLs and parameters.
func (a *API) masked(w http.ResponseWriter, r *http.Request) {
	a.changed(w, r, func(answer any) any { return mask("", answer) })
}

// changed answers what change makes of an answer; one that is not understood is not shown.
func (a *API) changed(w http.ResponseWriter, r *http.Request, change func(any) any) {
	held := &heldAnswer{header: w.Header(), code: http.StatusOK}
	r = r.Clone(r.Context())
	r.Header.Del("Accept-Encoding") // what is compressed cannot be looked at
	a.router.ServeHTTP(held, r)
	dec := json.NewDecoder(bytes.NewReader(held.body.Bytes()))
	dec.UseNumber()
	var answer any
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := dec.Decode(&answer)
	if err == nil {
		err = enc.Encode(change(answer))
	}
	if err != nil {
		w.Header().Del("Content-Length")
		http.Error(w, "the answer is not understood here: "+err.Error(), http.StatusInternalServerError)
		return
	}
	body := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(held.code)
	_, _ = w.Write(body)
}

// mask goes through an answer; key is that of the value in its object.
func mask(key string, v any) any {
	switch v := v.(type) {
	case string:
		if key == "yaml" {
			return redact.YAML(v)
		}
		if v != "" && redact.Secret(key) {
			return redact.Mask
		}
		return redact.Text(v)
	case []any:
		for i := range v {
			v[i] = mask(key, v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = mask(k, v[k])
		}
	}
	return v
}

// heldAnswer keeps an answer until it was looked at.
type heldAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(code int)        { h.code = code }
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }
