package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Message is what Alertmanager sends to a webhook receiver, version 4, as far as it is read. What else it has is passed over.
type Message struct {
	Version string         `json:"version"`
	Alerts  []MessageAlert `json:"alerts" maxItems:"1000"`
	_       struct{}       `additionalProperties:"true"`
}

// MessageAlert is one alert of a message.
type MessageAlert struct {
	Status   string       `json:"status" enum:"firing,resolved"`
	Labels   model.Labels `json:"labels"`
	StartsAt time.Time    `json:"startsAt"`
	_        struct{}     `additionalProperties:"true"`
}

// Received says what became of a message.
type Received struct {
	Taken   int `json:"taken" doc:"alerts that a remedy is for"`
	Ignored int `json:"ignored" doc:"alerts that none is for"`
}

const (
	// forgotten is how long an alert lasts that nobody repeats: Alertmanager does every 4 h by default.
	forgotten = 12 * time.Hour
	// mostReceived bounds the alerts of others that are kept.
	mostReceived = 1000
)

// received is an alert of somebody else's Alertmanager.
type received struct {
	Labels model.Labels
	Since  time.Time
	At     time.Time // when it was repeated last
}

// Receive takes a message; nil says that it is kept.
func (e *Engine) Receive(ctx context.Context, m Message) (out Received, err error) {
	if m.Version != "4" {
		return out, refuse("version: must be \"4\", the version of Alertmanager's webhook messages, got %q", m.Version)
	}
	have, err := e.listReceived(ctx)
	if err != nil {
		return out, err
	}
	var docs []store.Document
	n, now, done := len(have), e.deps.Now().UTC(), map[string]bool{}
	for _, a := range m.Alerts {
		if !e.wanted(a.Labels) {
			out.Ignored++
			continue
		}
		out.Taken++
		id := fingerprint(a.Labels)
		if done[id] {
			continue
		}
		done[id] = true
		was, known := have[id]
		switch {
		case a.Status == "resolved" && known:
			was.Gone = true
			docs = append(docs, was)
		case a.Status == "resolved":
		case !known && n >= mostReceived:
			return out, fmt.Errorf("%d alerts of others are kept, and no more are: send it again later", mostReceived)
		default:
			if !known {
				n++
			}
			body, err := json.Marshal(received{Labels: a.Labels, Since: a.StartsAt.UTC(), At: now})
			if err != nil {
				return out, fmt.Errorf("encode alert: %w", err)
			}
			docs = append(docs, store.Document{Kind: kindAlert, ID: id, Version: was.Version, Status: statusOpen, Time: a.StartsAt.UTC(), Body: body})
		}
	}
	if len(docs) > 0 {
		if _, err := e.deps.Documents.SaveDocuments(ctx, docs...); err != nil && !errors.Is(err, store.ErrChanged) {
			return out, fmt.Errorf("store alerts: %w", err)
		} else if err != nil {
			return out, fmt.Errorf("store alerts, somebody sent the same ones: %w", err)
		}
	}
	e.poke()
	return out, nil
}

func (e *Engine) wanted(labels model.Labels) bool {
	for _, r := range e.deps.Remedies() {
		if r.Trigger.Matches(labels) {
			return true
		}
	}
	return false
}

func fingerprint(of model.Labels) string {
	set := prom.LabelSet{}
	for k, v := range of {
		set[prom.LabelName(k)] = prom.LabelValue(v)
	}
	return set.Fingerprint().String()
}

func (e *Engine) listReceived(ctx context.Context) (map[string]store.Document, error) {
	docs, _, err := e.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kindAlert, Limit: mostReceived})
	if err != nil {
		return nil, fmt.Errorf("alerts of others: %w", err)
	}
	out := map[string]store.Document{}
	for _, d := range docs {
		out[d.ID] = d
	}
	return out, nil
}

// alerts are those in force: our own, and those that others sent. What nobody repeats is forgotten.
func (e *Engine) alerts(ctx context.Context, now time.Time) ([]Alert, error) {
	out, err := e.deps.Alerts(ctx)
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	seen := map[string]bool{}
	for i := range out {
		out[i].kind = "alert"
		seen[out[i].Fingerprint] = true
	}
	docs, err := e.listReceived(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range sorted(docs) {
		d := docs[id]
		var a received
		if err := json.Unmarshal(d.Body, &a); err != nil {
			return nil, fmt.Errorf("alert %s: %w", id, err)
		}
		if now.Sub(a.At) > forgotten {
			d.Gone = true
			if _, err := e.deps.Documents.SaveDocuments(ctx, d); err != nil && !errors.Is(err, store.ErrChanged) {
				return nil, fmt.Errorf("forget alert: %w", err)
			}
			continue
		}
		if !seen[id] {
			out = append(out, Alert{Fingerprint: id, Labels: a.Labels, Since: a.Since, kind: "webhook"})
		}
	}
	return out, nil
}
