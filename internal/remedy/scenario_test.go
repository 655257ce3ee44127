package remedy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
)

// badDeploy has version 2 of edge fail 30 % where version 1 failed 0.1 %.
func badDeploy(w *world) {
	w.deploy("edge", "1", 24*time.Hour)
	w.deploy("edge", "2", 0)
	deployed := time.Now()
	w.traffic = func(service string, at time.Time) []model.Sample {
		switch {
		case service == "layout":
			return of("7", 9000, 2700)
		case at.After(deployed):
			return of("2", 3000, 900)
		}
		return of("1", 9000, 9)
	}
	w.pass(4 * time.Minute)
	w.slo("edge", 60)
}

// heals has the burn fall five minutes after an order.
func heals(w *world) {
	w.answer = func(o webhook.Order) (int, error) {
		time.AfterFunc(5*time.Minute, func() { w.slo(o.Service, 0.3) })
		return http.StatusAccepted, nil
	}
}

func scenario(t *testing.T, play func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.t = t
		w.start()
		defer func() { w.stop() }()
		play(w)
	})
}

func TestABadDeployIsRolledBackAfterTenMinutesAndRecovers(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		heals(w)
		w.pass(10 * time.Minute)
		w.expect("edge", model.RemedyWatching, "considered once that has lasted 10 m")
		if len(w.orders) != 0 {
			t.Fatal("rolled back too early")
		}
		w.pass(30 * time.Second)
		r := w.expect("edge", model.RemedyVerifying, "deployer.test took the order (status 202)")
		if len(w.orders) != 1 || w.orders[0].Version != "2" || w.orders[0].Previous != "1" || w.orders[0].ID != r.ID || w.orders[0].Environment != "prod" {
			t.Fatalf("orders %+v", w.orders)
		}
		if got := w.orders[0].Reason; got != "2 fails 30 % of 3,000 requests; before it, 1 failed 0.1 % of 9,000." {
			t.Errorf("reason %q", got)
		}
		if len(r.Evidence) != 2 || *r.Evidence[0].Value != 0.3 || *r.Evidence[1].Value != 0.001 || !strings.Contains(r.Evidence[0].Query, `increase(signalbox_span_duration_seconds_count{kind=~"server|consumer",tenant="",service="edge",env="prod"}[`) {
			t.Errorf("evidence %+v", r.Evidence)
		}
		w.pass(time.Minute)
		if got := w.firing(); got != "AutoRollback edge warning" {
			t.Errorf("firing %q", got)
		}
		w.pass(5 * time.Minute)
		w.expect("edge", model.RemedyRecovered, "The burn over 5m fell to 0.3× within 5 m")
		if got := w.firing(); got != "" {
			t.Errorf("firing %q", got)
		}
		if got := w.did("edge"); got != "watching executing verifying recovered" {
			t.Errorf("audited %s", got)
		}
		last := w.markers[len(w.markers)-1]
		if last.Kind != "rollback" || last.Version != "1" || last.Status != "succeeded" || last.Environment != "prod" || last.Actor != "signalbox" {
			t.Errorf("marker %+v", last)
		}
		w.pass(2 * time.Hour)
		if len(w.orders) != 1 {
			t.Error("rolled back again")
		}
	})
}

func TestWithoutALikelyCauseNothingIsRolledBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		play   func(w *world)
		reason string
	}{
		{"no deployment", func(w *world) { w.deploy("edge", "1", 24*time.Hour) }, "No deployment of edge in the 1 h before the burn"},
		{"only one of another environment", func(w *world) {
			w.deploy("edge", "2", time.Minute)
			w.markers[0].Environment = "staging"
		}, "No deployment of edge"},
		{"a change of configuration", func(w *world) {
			w.deploy("edge", "2", time.Minute)
			w.markers[0].Kind = "config"
		}, "No deployment of edge"},
		{"both versions fail alike", func(w *world) {
			w.deploy("edge", "1", 24*time.Hour)
			w.deploy("edge", "2", time.Minute)
			w.traffic = func(string, time.Time) []model.Sample { return append(of("2", 3000, 900), of("1", 3000, 880)...) }
		}, "not the likely cause: 2 fails 30 % of 3,000 requests; beside it, 1 failed 29.3 % of 3,000"},
		{"worse, but not beyond chance", func(w *world) {
			w.deploy("edge", "1", 24*time.Hour)
			w.deploy("edge", "2", time.Minute)
			w.traffic = func(string, time.Time) []model.Sample { return append(of("2", 60, 6), of("1", 60, 2)...) }
		}, "not the likely cause"},
		{"few requests of the new version", func(w *world) {
			w.deploy("edge", "1", 24*time.Hour)
			w.deploy("edge", "2", time.Minute)
			w.traffic = func(string, time.Time) []model.Sample { return of("1", 3000, 3) }
		}, "2 has 0 requests since it was deployed, at least 50 are needed"},
		{"nothing known before", func(w *world) {
			w.deploy("edge", "2", time.Minute)
			w.traffic = func(string, time.Time) []model.Sample { return of("2", 3000, 900) }
		}, "Nothing is known of a version before 2"},
		{"replaced by a person meanwhile", func(w *world) {
			w.deploy("edge", "1", 24*time.Hour)
			w.deploy("edge", "2", time.Minute)
			time.AfterFunc(5*time.Minute, func() { w.deploy("edge", "3", 0) })
		}, "2 was replaced by 3"},
		{"a rollback was the newest change", func(w *world) {
			w.deploy("edge", "1", time.Minute)
			w.markers[0].Kind = "rollback"
		}, "was a rollback to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scenario(t, func(w *world) {
				c.play(w)
				w.slo("edge", 30)
				w.pass(30 * time.Minute)
				w.expect("edge", model.RemedyDeclined, c.reason)
				if got := w.did("edge"); got != "watching declined" {
					t.Errorf("audited %s", got)
				}
				w.slo("edge", 0.5)
				w.pass(time.Minute)
				w.expect("edge", model.RemedyEnded, "ended by itself after 30 m")
				if len(w.orders) != 0 || w.firing() != "" {
					t.Errorf("orders %v, firing %s", w.orders, w.firing())
				}
			})
		})
	}
}

func TestABreachThatEndsInTimeIsLeftAlone(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		w.pass(9 * time.Minute)
		w.slo("edge", 0.2)
		w.pass(5 * time.Minute)
		w.expect("edge", model.RemedyEnded, "ended by itself")
		if len(w.orders) != 0 {
			t.Error("rolled back")
		}
	})
}

func TestTwoServicesAreJudgedEachByItself(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		heals(w)
		w.slo("layout", 80)
		w.pass(12 * time.Minute)
		w.expect("edge", model.RemedyVerifying, "")
		w.expect("layout", model.RemedyDeclined, "No deployment of layout")
		if len(w.orders) != 1 || w.orders[0].Service != "edge" {
			t.Errorf("orders %+v", w.orders)
		}
	})
}

func TestARestartForgetsNothingAndRepeatsNothing(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		heals(w)
		w.pass(6 * time.Minute)
		w.stop()
		w.start()
		w.pass(4*time.Minute + 30*time.Second)
		w.expect("edge", model.RemedyVerifying, "")
		w.stop()
		w.start()
		w.pass(6 * time.Minute)
		w.expect("edge", model.RemedyRecovered, "")
		if len(w.orders) != 1 {
			t.Errorf("%d orders", len(w.orders))
		}
	})
}

func TestAnOrderThatWasInterruptedIsVerifiedAndNotRepeated(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		w.pass(time.Minute)
		w.stop()
		r := w.remedy("edge") // as a kill -9 in the middle of an order leaves it
		at := time.Now().UTC()
		r.State, r.Executed = model.RemedyExecuting, &at
		if err := w.SaveRemedy(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.pass(time.Minute)
		w.expect("edge", model.RemedyVerifying, "the outcome is not known. Nothing is repeated")
		w.pass(20 * time.Minute)
		w.expect("edge", model.RemedyUnhelpful, "did not help")
		if len(w.orders) != 0 || w.firing() != "AutoRollbackDidNotHelp edge critical" {
			t.Errorf("orders %v, firing %s", w.orders, w.firing())
		}
	})
}

func TestAFailedOrderPagesAPersonAndIsNotRepeated(t *testing.T) {
	for name, answer := range map[string]func(webhook.Order) (int, error){
		"refused":     func(webhook.Order) (int, error) { return http.StatusForbidden, nil },
		"broken":      func(webhook.Order) (int, error) { return http.StatusInternalServerError, nil },
		"unreachable": func(webhook.Order) (int, error) { return 0, errors.New("no route to host") },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				badDeploy(w)
				w.answer = answer
				w.pass(12 * time.Minute)
				tried := len(w.orders)
				w.expect("edge", model.RemedyFailed, "could not be rolled back from 2")
				w.pass(time.Hour)
				if len(w.orders) != tried || tried == 0 || tried > 4 {
					t.Errorf("%d orders, then %d", tried, len(w.orders))
				}
				if got := w.firing(); got != "AutoRollbackFailed edge critical" {
					t.Errorf("firing %q", got)
				}
				for _, d := range w.markers {
					if d.Kind == "rollback" {
						t.Error("a marker of a rollback that was none")
					}
				}
				w.slo("edge", 0)
				w.pass(time.Minute)
				if got := w.firing(); got != "" {
					t.Errorf("firing %q after the breach", got)
				}
			})
		})
	}
}

func TestARollbackThatDoesNotHelpPagesAPerson(t *testing.T) {
	for name, after := range map[string]func(w *world){
		"The rollback to 1 did not help: 15 m": func(*world) {},
		"there is no data that would show":     func(w *world) { w.silent("edge") },
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				badDeploy(w)
				w.answer = func(webhook.Order) (int, error) {
					time.AfterFunc(time.Second, func() { after(w) })
					return http.StatusOK, nil
				}
				w.pass(26 * time.Minute)
				w.expect("edge", model.RemedyUnhelpful, name)
				w.pass(10 * time.Minute)
				if got := w.firing(); got != "AutoRollbackDidNotHelp edge critical" {
					t.Errorf("firing %q", got)
				}
				w.stop()
				w.start()
				w.pass(10 * time.Minute)
				if got := w.firing(); got != "AutoRollbackDidNotHelp edge critical" || len(w.orders) != 1 {
					t.Errorf("after a restart %q, %d orders", got, len(w.orders))
				}
			})
		})
	}
}

func TestAnAlertThatOutlastsTheRecoveryBeginsNothingNew(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		w.answer = func(webhook.Order) (int, error) {
			time.AfterFunc(5*time.Minute, func() {
				w.slo("edge", 60)
				w.mu.Lock()
				defer w.mu.Unlock()
				w.slos["edge"].Burn[1].Rate = 0.5 // the last five minutes are good, the last hour is not
			})
			return http.StatusOK, nil
		}
		w.pass(40 * time.Minute)
		if r := w.expect("edge", model.RemedyRecovered, "The burn over 5m fell"); r.Ended != nil || len(w.saved) != 1 {
			t.Errorf("ended %v, %d remedies", r.Ended, len(w.saved))
		}
		w.slo("edge", 0.5)
		w.pass(time.Minute)
		if r := w.expect("edge", model.RemedyRecovered, ""); r.Ended == nil || w.firing() != "" {
			t.Errorf("not ended: %+v", r)
		}
	})
}

func TestAServiceIsRolledBackOnceAnHour(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		heals(w)
		w.pass(20 * time.Minute)
		w.expect("edge", model.RemedyRecovered, "")
		w.traffic = func(string, time.Time) []model.Sample { return append(of("3", 3000, 900), of("1", 3000, 3)...) }
		w.deploy("edge", "3", 0)
		w.pass(time.Minute)
		w.slo("edge", 50)
		w.pass(20 * time.Minute)
		w.expect("edge", model.RemedyDeclined, "that is done once in 1 h at most")
		if len(w.orders) != 1 {
			t.Errorf("%d orders", len(w.orders))
		}
		w.pass(30 * time.Minute)
		w.expect("edge", model.RemedyVerifying, "")
		if len(w.orders) != 2 {
			t.Errorf("%d orders after the hour", len(w.orders))
		}
	})
}

func TestADryRunOnlySaysWhatItWouldDo(t *testing.T) {
	if !DefaultConfig().DryRun {
		t.Error("a dry run must be the default")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cfg.DryRun = true
		w.start()
		defer func() { w.stop() }()
		badDeploy(w)
		markers := len(w.markers)
		w.pass(30 * time.Minute)
		r := w.expect("edge", model.RemedyPlanned, "Dry run: Signalbox would send the order to https://deployer.test/edge, since 2 fails 30 %")
		if !r.DryRun || len(w.orders) != 0 || len(w.markers) != markers || w.firing() != "" {
			t.Errorf("remedy %+v, orders %v, firing %s", r, w.orders, w.firing())
		}
		if got := w.did("edge"); got != "watching executing planned" {
			t.Errorf("audited %s", got)
		}
	})
}

func TestWithoutATargetTheCauseIsStillNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cfg.Targets = nil
		w.start()
		defer func() { w.stop() }()
		badDeploy(w)
		w.pass(30 * time.Minute)
		w.expect("edge", model.RemedyDeclined, "The deployment is the likely cause: 2 fails 30 % of 3,000 requests; before it, 1 failed 0.1 % of 9,000. No rollback target is configured for edge in prod.")
	})
}

func TestAnOrderThatCannotBeStoredIsNotGiven(t *testing.T) {
	scenario(t, func(w *world) {
		badDeploy(w)
		w.pass(5 * time.Minute)
		w.mu.Lock()
		w.broken = errors.New("disk full")
		w.mu.Unlock()
		w.pass(30 * time.Minute)
		if len(w.orders) != 0 {
			t.Fatal("an order that is not on record")
		}
		w.mu.Lock()
		w.broken = nil
		w.mu.Unlock()
		w.pass(time.Minute)
		if len(w.orders) != 1 {
			t.Errorf("%d orders once it can be stored", len(w.orders))
		}
	})
}
