package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func (f *rooms) Corrections(_ context.Context, slo string) ([]model.SLOCorrection, error) {
	return []model.SLOCorrection{{ID: "c1", SLO: slo}}, f.err
}

func (f *rooms) Correct(_ context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	c.ID = "c2"
	return c, f.err
}

func (f *rooms) Uncorrect(_ context.Context, slo, id string) error {
	if id != "c1" {
		return fmt.Errorf("correction %s of %s: %w", id, slo, store.ErrNotFound)
	}
	return f.err
}

func TestCorrectionsAreListedAddedTakenBackAndAudited(t *testing.T) {
	f := &rooms{}
	a := newAPI(t, f)
	if res := do(a, http.MethodGet, "/sb/v1/slos/edge/corrections", ""); res.Code != http.StatusOK || !strings.Contains(res.Body.String(), `"c1"`) {
		t.Errorf("list: %d %s", res.Code, res.Body)
	}
	body := `{"author":"kim","reason":"new disks","start":"2026-11-21T10:00:00Z","end":"2026-11-21T11:00:00Z"}`
	if res := do(a, http.MethodPost, "/sb/v1/slos/edge/corrections", body); res.Code != http.StatusCreated || !strings.Contains(res.Body.String(), `"c2"`) {
		t.Errorf("add: %d %s", res.Code, res.Body)
	}
	if res := do(a, http.MethodPost, "/sb/v1/slos/edge/corrections", `{"reason":"x","start":"2026-11-21T10:00:00Z","end":"2026-11-21T11:00:00Z"}`); res.Code/100 != 4 {
		t.Errorf("without an author: %d %s", res.Code, res.Body)
	}
	if res := do(a, http.MethodDelete, "/sb/v1/slos/edge/corrections/c1?actor=ann", ""); res.Code != http.StatusOK {
		t.Errorf("delete: %d %s", res.Code, res.Body)
	}
	if res := do(a, http.MethodDelete, "/sb/v1/slos/edge/corrections/c9", ""); res.Code != http.StatusNotFound {
		t.Errorf("delete what is not there: %d", res.Code)
	}
	if len(f.audited) != 2 || f.audited[0].Action != "slo.correct" || f.audited[0].Actor != "kim" || f.audited[0].Details["reason"] != "new disks" ||
		f.audited[1].Action != "slo.uncorrect" || f.audited[1].Actor != "ann" || f.audited[1].Subject != "edge" {
		t.Errorf("audited %+v", f.audited)
	}
}
