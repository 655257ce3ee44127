package slo_test

import "testing"

// Total is the slow half of the loads, good the fast half: no load of total is
// good. Fast loads that total does not count must not make up for the slow ones.
func TestGoodEventsOutsideOfTotalMakeUpForNothing(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", `service:layout duration:<300ms`, `service:layout duration:>500ms`, ""))
	k.serve(30, 50, 10)
	k.counted(300, 300)

	// Where good is wider than total, what is in both counts: 96 of 100.
	k = newKeeper(t, eventSLO("signalbox-spans", `duration:<300ms OR service:other`, `service:layout name:"GET /layouts"`, ""))
	k.serve(30, 96, 4)
	k.counted(120, 3000)
}
