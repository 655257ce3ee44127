package hands_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/hands"
	"github.com/signalbox-project/signalbox/internal/store"
)

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// world is what hands work in: one page, an Alertmanager that keeps what it is sent, and an audit log.
type world struct {
	page    model.Page
	may     error
	status  int
	silence map[string]any
	who     *access.Access
	audit   []model.AuditEntry
	taken   []string
}

func (w *world) Page(_ context.Context, id string) (model.Page, error) {
	if id != w.page.ID {
		return model.Page{}, store.ErrNotFound
	}
	return w.page, nil
}

func (w *world) take(_ context.Context, id, by, how string) (model.Page, error) {
	w.taken = append(w.taken, id+" by "+by+" from "+how)
	if strings.HasPrefix(id, "drill-") {
		return model.Page{ID: id, AckedBy: by}, nil
	}
	w.page.AckedBy = by
	return w.Page(context.Background(), id)
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.who = access.From(r.Context())
	_ = json.NewDecoder(r.Body).Decode(&w.silence)
	if w.status != 0 {
		rw.WriteHeader(w.status)
		_, _ = rw.Write([]byte("no, because"))
		return
	}
	_, _ = rw.Write([]byte(`{"silenceID":"s-1"}`))
}

func newHands(w *world) *hands.Hands {
	return hands.New(hands.Deps{
		Tenant: "shop", Pages: w, Acknowledge: w.take, Alertmanager: w, Now: func() time.Time { return now },
		People: func() []hands.Person {
			return []hands.Person{{Name: "anna", Email: "Anna@example.org"}, {Name: "bert", Email: "both@example.org"}, {Name: "cleo", Email: "both@example.org"}, {Name: "dora", Addresses: map[string][]string{"slack": {"U0DORA"}, "email": {"x@example.org"}}}}
		},
		As: func(person string, needs access.Permission) (access.Access, error) {
			return access.Access{Identity: access.Identity{Subject: "user:" + person}, Needs: needs}, w.may
		},
		Record: func(_ context.Context, e model.AuditEntry) { w.audit = append(w.audit, e) },
	})
}

func firing(labels ...model.Labels) model.Page {
	p := model.Page{ID: "pg-1", Status: "firing"}
	for _, ls := range labels {
		p.Alerts = append(p.Alerts, model.PageAlert{Labels: ls, Status: "firing"})
	}
	return p
}

func TestWhoSomebodyIs(t *testing.T) {
	h := newHands(&world{})
	for want, who := range map[string]notify.Presser{
		"anna": {Email: "anna@EXAMPLE.org"}, "dora": {Name: "dora"}, "bert": {Name: "bert", Email: "anna@example.org"},
	} {
		if got := h.Person(t.Context(), who); got != want {
			t.Errorf("%+v is %q, want %q", who, got, want)
		}
	}
	if got := h.Person(t.Context(), notify.Presser{Channel: "slack", ID: "U0DORA"}); got != "dora" {
		t.Errorf("whom slack tells is %q", got)
	}
	for _, who := range []notify.Presser{{}, {Channel: "telegram", ID: "U0DORA"}, {Channel: "slack", ID: "U0DORA", Email: "anna@example.org"}, {Channel: "slack"}, {Email: "both@example.org"}, {Email: "x@example.org"}, {Name: "nobody"}, {Name: "nobody", Email: "anna@example.org"}, {ID: "anna"}} {
		if got := h.Person(t.Context(), who); got != "" {
			t.Errorf("%+v is %q", who, got)
		}
	}
}

func TestTheFirstTakesAPage(t *testing.T) {
	w := &world{page: firing(model.Labels{"a": "b"})}
	h := newHands(w)
	for _, by := range []string{"anna", "bert"} {
		if p, err := h.Acknowledge(t.Context(), "pg-1", by, "slack"); err != nil || p.AckedBy != "anna" {
			t.Fatal(p, err)
		}
	}
	if p, err := h.Acknowledge(t.Context(), "drill-1", "bert", "slack"); err != nil || p.AckedBy != "bert" {
		t.Fatal(p, err)
	}
	if _, err := h.Acknowledge(t.Context(), "pg-2", "anna", "slack"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if got := strings.Join(w.taken, ", "); got != "pg-1 by anna from slack, drill-1 by bert from slack, pg-2 by anna from slack" {
		t.Error(got)
	}
	over := &world{page: model.Page{ID: "pg-1", Status: "resolved"}}
	if p, err := newHands(over).Acknowledge(t.Context(), "pg-1", "anna", "slack"); err != nil || p.AckedBy != "" || len(over.taken) != 0 {
		t.Error("a page that is over was taken", p, err)
	}
}

func TestASilenceIsOfWhatTheAlertsHaveInCommonAndOfThePerson(t *testing.T) {
	w := &world{page: firing(model.Labels{"alertname": "Down", "region": "eu", "zone": "a", "empty": ""}, model.Labels{"alertname": "Down", "region": "eu", "zone": "b"})}
	w.page.Alerts = append(w.page.Alerts, model.PageAlert{Status: "resolved", Labels: model.Labels{"alertname": "Other"}})
	said, err := newHands(w).Silence(t.Context(), "pg-1", "anna", "slack", time.Hour)
	if err != nil || said != `alertname="Down", region="eu" until 11:00 UTC` {
		t.Fatal(said, err)
	}
	text, _ := json.Marshal(w.silence)
	const want = `{"comment":"from slack, for the page pg-1","createdBy":"anna","endsAt":"2026-03-01T11:00:00Z","matchers":[` +
		`{"isEqual":true,"isRegex":false,"name":"alertname","value":"Down"},{"isEqual":true,"isRegex":false,"name":"region","value":"eu"}],"startsAt":"2026-03-01T10:00:00Z"}`
	if string(text) != want {
		t.Errorf("got\n%s, want\n%s", text, want)
	}
	if w.who == nil || w.who.Subject != "user:anna" || w.who.Needs != access.SilencesWrite {
		t.Errorf("made by %+v", w.who)
	}
	if len(w.audit) != 1 || w.audit[0].Action != "silence.create" || w.audit[0].Subject != "s-1" || w.audit[0].Actor != "anna" {
		t.Errorf("%+v", w.audit)
	}
}

func TestWhatCannotBeSilencedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		world world
		id    string
		says  string
		bad   bool
	}{
		"nothing in common":  {world{page: firing(model.Labels{"a": "1"}, model.Labels{"a": "2"})}, "pg-1", "in common", true},
		"nothing fires":      {world{page: model.Page{ID: "pg-1"}}, "pg-1", "no alert of the page fires", true},
		"not allowed":        {world{page: firing(model.Labels{"a": "1"}), may: errors.New("anna may not")}, "pg-1", "anna may not", true},
		"another namespace":  {world{page: firing(model.Labels{"a": "1"}), status: 403}, "pg-1", "no, because", true},
		"trouble":            {world{page: firing(model.Labels{"a": "1"}), status: 500}, "pg-1", "no, because", false},
		"a page that is not": {world{page: firing()}, "pg-2", "", false},
	} {
		_, err := newHands(&c.world).Silence(t.Context(), c.id, "anna", "slack", time.Hour)
		var bad interface{ BadRequest() }
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &bad) != c.bad || len(c.world.audit) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
