package demo

import (
	"testing"
	"time"
)

func TestTheHistoryCarriesTheVersionsThatWereDeployedThen(t *testing.T) {
	deploys := pastDeploys(end)
	versions := map[string]bool{}
	for _, s := range past() {
		service, version := label(s, "service"), label(s, "version")
		if label(s, "__name__") != "http_server_request_duration_seconds_count" || label(s, "region") != mainRegion {
			continue
		}
		for _, p := range s.Samples[1:] { // the first is where its predecessor ended
			at := time.UnixMilli(p.Timestamp)
			want := runningAt(deploys, service, at)
			if want == "" {
				want = firstVersion(service)
			}
			if version != want {
				t.Fatalf("%s at %s is %s, the deployments say %s", service, at, version, want)
			}
		}
		versions[service+" "+version] = true
	}
	for _, d := range deploys {
		if !versions[d.Service+" "+d.Version] {
			t.Errorf("%s %s was deployed and never ran", d.Service, d.Version)
		}
	}
}

func TestTracesOfThePastRunTheVersionsOfTheirTime(t *testing.T) {
	deploys := pastDeploys(end)
	if got := versionsAt(deploys, end); len(got) != 0 {
		t.Errorf("now the stable versions run, not %v", got)
	}
	first := versionsAt(deploys, end.Add(-28*day))
	for _, service := range []string{"edge", "layout", "access-control", "deployment", "file-server"} {
		if first[service] != firstVersion(service) {
			t.Errorf("%s began at %q, want %s", service, first[service], firstVersion(service))
		}
	}
	for _, d := range deploys {
		v, other := versionsAt(deploys, d.Time.Add(2*time.Second))[d.Service]
		if other && v != d.Version {
			t.Errorf("%s ran %s after %s was deployed", d.Service, v, d.Version)
		}
	}
}
