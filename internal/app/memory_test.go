package app

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/config"
)

func TestSettingsAreCutToASmallMemory(t *testing.T) {
	all := config.Default()
	if got := fit(all, 0); got.Events.MaxBytes != all.Events.MaxBytes || got.Query.MaxSamples != all.Query.MaxSamples {
		t.Error("settings were cut without a limit")
	}
	if got := fit(all, 64<<30); got.Events.MaxBytes != all.Events.MaxBytes || got.Query.MaxSamples != all.Query.MaxSamples || got.Web.MaxBodyBytesInFlight != all.Web.MaxBodyBytesInFlight {
		t.Error("settings were cut though there is room")
	}
	const limit = 600 << 20
	got := fit(all, limit)
	if errs := got.Events.Validate(); len(errs) > 0 {
		t.Errorf("what was cut is invalid: %v", errs)
	}
	queries := int64(got.Query.MaxSamples) * sampleBytes * largeQueries
	if sum := got.Events.MaxBytes + got.Web.MaxBodyBytesInFlight + queries; sum > limit*40/100+1 || sum < limit*35/100 {
		t.Errorf("heads %d, bodies %d and queries %d take %d of %d bytes", got.Events.MaxBytes, got.Web.MaxBodyBytesInFlight, queries, sum, limit)
	}
}
