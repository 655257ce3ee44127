package statetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

func document(id string, after time.Duration) store.Document {
	return store.Document{Kind: "incident", ID: id, Status: "open", Time: stateEpoch.Add(after), Body: json.RawMessage(`{"title":"é <b>","n":1}`)}
}

func changedMeanwhile(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrChanged) {
		t.Errorf("%s: %v, want that it was changed meanwhile", what, err)
	}
}

func stateDocuments(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	saved, err := s.SaveDocuments(ctx, document("a", 0))
	must(t, err)
	first := document("a", 0)
	first.Version = 1
	equal(t, "as it was saved", saved, []store.Document{first})
	changed := first
	changed.Status, changed.Time, changed.Body = "closed", stateEpoch.Add(time.Hour), json.RawMessage(`[]`)
	_, err = s.SaveDocuments(ctx, changed)
	must(t, err)
	changed.Version = 2
	s = reopen(t, s, open)
	got, err := s.Document(ctx, "incident", "a")
	must(t, err)
	equal(t, "after a change and a restart", got, changed)

	_, err = s.SaveDocuments(ctx, document("a", 0))
	changedMeanwhile(t, "a new one where there is one", err)
	_, err = s.SaveDocuments(ctx, document("b", 0), first)
	changedMeanwhile(t, "a change of what was read before the last", err)
	_, err = s.Document(ctx, "incident", "b")
	notFound(t, err) // all or none
	ghost := document("c", 0)
	ghost.Version = 1
	_, err = s.SaveDocuments(ctx, ghost)
	changedMeanwhile(t, "a change of what is not there", err)
	first.Gone = true
	_, err = s.SaveDocuments(ctx, first)
	changedMeanwhile(t, "forgetting what was changed", err)
	changed.Gone = true
	_, err = s.SaveDocuments(ctx, changed, document("d", 0))
	must(t, err)
	_, err = s.Document(ctx, "incident", "a")
	notFound(t, err)
	_, err = s.Document(ctx, "contact", "d") // of another kind
	notFound(t, err)
	for what, d := range map[string]store.Document{"no id": {Kind: "x", Body: json.RawMessage(`1`)}, "no kind": {ID: "x", Body: json.RawMessage(`1`)}, "no JSON": {Kind: "x", ID: "x", Body: json.RawMessage(`{`)}} {
		if _, err := s.SaveDocuments(ctx, d); err == nil || errors.Is(err, store.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = s.SaveDocuments(ctx)
	must(t, err)
}

func stateDocumentLists(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	var docs []store.Document
	for i := range 7 {
		d := document(fmt.Sprint("i", i), time.Duration(i/2)*time.Minute) // pairs of one time
		if i == 3 {
			d.Status = "closed"
		}
		docs = append(docs, d)
	}
	odd := document("i%_", 10*time.Minute)
	other := document("i0", 0)
	other.Kind = "contact"
	_, err := s.SaveDocuments(ctx, append(docs, odd, other)...)
	must(t, err)
	s = reopen(t, s, open)
	for _, c := range []struct {
		name string
		q    store.DocumentQuery
		want string
	}{
		{"all", store.DocumentQuery{}, "[i%_ i6 i5 i4 i3 i2 i1 i0]"},
		{"the oldest first", store.DocumentQuery{Oldest: true}, "[i0 i1 i2 i3 i4 i5 i6 i%_]"},
		{"of a status", store.DocumentQuery{Status: "closed"}, "[i3]"},
		{"a prefix is no pattern", store.DocumentQuery{Prefix: "i%"}, "[i%_]"},
		{"half-open time", store.DocumentQuery{Start: stateEpoch.Add(time.Minute), End: stateEpoch.Add(2 * time.Minute)}, "[i3 i2]"},
		{"of another kind", store.DocumentQuery{Kind: "contact"}, "[i0]"},
		{"none", store.DocumentQuery{Status: "gone"}, "[]"},
	} {
		for _, limit := range []int{0, 1, 2, 3, 8} {
			q := c.q
			q.Limit = limit
			if q.Kind == "" {
				q.Kind = "incident"
			}
			equal(t, fmt.Sprintf("%s, %d a page", c.name, limit), fmt.Sprint(documentPages(t, s, q)), c.want)
		}
	}
	if _, _, err := s.Documents(ctx, store.DocumentQuery{Kind: "incident", Before: "x"}); err == nil {
		t.Error("a cursor that is none is taken")
	}
}

// documentPages follows the cursor to the end.
func documentPages(t *testing.T, s store.State, q store.DocumentQuery) (ids []string) {
	for {
		page, next, err := s.Documents(t.Context(), q)
		must(t, err)
		for _, d := range page {
			ids = append(ids, d.ID)
		}
		if next == "" {
			return ids
		}
		if slices.Contains([]string{"", q.Before}, next) || len(page) == 0 {
			t.Fatalf("the cursor stays at %q", next)
		}
		q.Before = next
	}
}

func stateDocumentRaces(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	equal(t, "makers of one document", atOnce(func(int) error { _, err := s.SaveDocuments(ctx, document("a", 0)); return err }), 1)
	read, err := s.Document(ctx, "incident", "a")
	must(t, err)
	equal(t, "who changed what all had read", atOnce(func(int) error { _, err := s.SaveDocuments(ctx, read); return err }), 1)
	got, err := s.Document(ctx, "incident", "a")
	must(t, err)
	equal(t, "version", got.Version, int64(2))
}
