package front

import (
	"encoding/json"
	"net/http"
)

// WriteJSON answers with a status and a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client went away.
	_ = json.NewEncoder(w).Encode(v)
}
