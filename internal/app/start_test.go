package app

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front/certs"
)

func TestEveryRoleIsBuiltOnPortsThatAreFreeAndEndsWhole(t *testing.T) {
	for role := range roles() {
		dir := t.TempDir()
		r := startIn(t, dir, nil, func(o *Options) { o.Role = role })
		a := r.Addresses()
		for _, path := range []string{"/-/healthy", "/-/ready", "/"} {
			if status, text := r.get(t, path); status != http.StatusOK && path != "/" {
				t.Errorf("role %q: %s: %d %s", role, path, status, text)
			}
		}
		r.stop()
		for _, address := range []string{strings.TrimPrefix(a.Web, "http://"), strings.TrimPrefix(a.OTLPHTTP, "http://"), a.OTLPGRPC} {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Errorf("role %q: %s still answers after the stop", role, address)
			}
		}
		if r.isReady.Load() {
			t.Errorf("role %q: still ready after the stop", role)
		}
		// The stores are closed: the same folder can be opened again.
		startIn(t, dir, nil, func(o *Options) { o.Role = role }).stop()
	}
}

func TestWhatKeepsAProcessFromStartingIsNamedAndLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name   string
		files  map[string]string
		change func(*Options, string)
		want   []string
	}{
		{"a role that is not there", nil, func(o *Options, _ string) { o.Role = "gateway" }, []string{"--role gateway", "all"}},
		{"ports in use", nil, func(o *Options, _ string) {
			o.ListenAddress, o.OTLPHTTPAddress = taken.Addr().String(), taken.Addr().String()
		}, []string{"--web.listen-address", "--otlp.http-address", "address already in use", "choose another"}},
		{"a log level", nil, func(o *Options, _ string) { o.Log.Level = "loud" }, []string{`log level "loud"`}},
		{"no configuration", nil, func(o *Options, dir string) { o.ConfigFile = filepath.Join(dir, "none.yml") }, []string{"none.yml", "no such file"}},
		{"a key that is not there", map[string]string{"signalbox.yml": "slo_file: [x]\n"}, nil, []string{"signalbox.yml:1", "slo_file", "slo_files"}},
		{"an external URL", nil, func(o *Options, _ string) { o.ExternalURL = "box.example" }, []string{"--web.external-url", "https://"}},
		{"a folder where the storage has a file", nil, func(o *Options, dir string) {
			o.StoragePath = filepath.Join(dir, "file")
			if err := os.WriteFile(o.StoragePath, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"start stores", "file"}},
		{"routing", map[string]string{"signalbox.yml": "alertmanager_file: am.yml\n", "am.yml": "route: {receiver: nobody}\n"}, nil, []string{"am.yml", "nobody"}},
		{"policies", map[string]string{"signalbox.yml": "policy_files: [p.yml]\n", "p.yml": "policies: [{}]\n"}, nil, []string{"p.yml"}},
	} {
		dir := t.TempDir()
		files(t, dir, c.files)
		o := options(t, dir)
		if c.files != nil {
			o.ConfigFile = filepath.Join(dir, "signalbox.yml")
		}
		// A port of its own, to see that it is given back.
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o.OTLPGRPCAddress = ln.Addr().String()
		ln.Close()
		if c.change != nil {
			c.change(&o, dir)
		}
		p, err := Build(t.Context(), o)
		if err == nil {
			t.Errorf("%s: started", c.name)
			_ = p.Close()
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not say %q", c.name, err, w)
			}
		}
		if again, err := net.Listen("tcp", o.OTLPGRPCAddress); err != nil {
			t.Errorf("%s: the port was not given back: %v", c.name, err)
		} else {
			again.Close()
		}
	}
}

func TestWhatWasBuiltCanBeClosedWithoutARun(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second would find a lock or a port that was left
		p, err := Build(t.Context(), options(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestARunThatIsOverBeforeItBeganEndsWithoutAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options(t, t.TempDir())
	o.Output = &buffer{}
	if err := Run(ctx, o); err != nil && !strings.Contains(err.Error(), "operation was canceled") && !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Error(err)
	}
}

func TestCheckFilesNamesEveryFileThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{
		"rules.yml": "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n", "detectors.yml": "detectors: [{name: x, expr: 'sum('}]\n",
		"am.yml": "route: {receiver: nobody}\n", "slos.yml": "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec: {}\n",
		"policies.yml": "policies: [{}]\n", "probes.yml": "probes: [{name: x}]\n",
	})
	p := configOf(t, dir, "")
	if err := document.Err(CheckFiles(p)); err != nil {
		t.Errorf("nothing to check: %v", err)
	}
	p = configOf(t, dir, `
rule_files: [rules.yml]
detector_files: [detectors.yml]
alertmanager_file: am.yml
slo_files: [slos.yml]
policy_files: [policies.yml]
probe_files: [probes.yml]
`)
	err := document.Err(CheckFiles(p))
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, file := range []string{"rules.yml", "detectors.yml", "am.yml", "slos.yml", "policies.yml", "probes.yml"} {
		if !strings.Contains(err.Error(), file) {
			t.Errorf("%s is not named in\n%v", file, err)
		}
	}
}

func TestAddressesCanBeDialled(t *testing.T) {
	for _, c := range []struct{ listen, host string }{{"127.0.0.1:0", "127.0.0.1"}, {":0", "localhost"}} {
		o := options(t, t.TempDir())
		o.ListenAddress, o.OTLPGRPCAddress, o.OTLPHTTPAddress = c.listen, "", ""
		l, err := o.listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := l.addresses(certs.None())
		l.close()
		if !strings.HasPrefix(a.Web, "http://"+c.host+":") || a.OTLPGRPC != "" || a.OTLPHTTP != "" {
			t.Errorf("%s: %+v", c.listen, a)
		}
	}
	o := Options{ExternalURL: "https://box.example/base/"}
	if u, err := o.externalURL(Addresses{}); err != nil || u.String() != "https://box.example/base" {
		t.Errorf("%v %v", u, err)
	}
	o.ExternalURL = ""
	if u, err := o.externalURL(Addresses{Web: "http://localhost:4300"}); err != nil || u.String() != "http://localhost:4300" {
		t.Errorf("%v %v", u, err)
	}
}

// A store whose folder somebody removed begins empty, and says so; a first start says nothing.
func TestAFolderThatIsGoneIsNamed(t *testing.T) {
	dir := t.TempDir()
	problems := func() (out []string) {
		r := startIn(t, dir, nil)
		defer r.stop()
		for _, p := range r.problems() {
			out = append(out, p.Message)
		}
		return out
	}
	if got := problems(); len(got) > 0 {
		t.Errorf("at the first start: %q", got)
	}
	gone := filepath.Join(dir, "data", "events")
	for _, empty := range []bool{false, true} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
		if empty {
			if err := os.Mkdir(gone, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if got := problems(); len(got) != 1 || !strings.Contains(got[0], gone) {
			t.Errorf("empty %t: %q", empty, got)
		}
	}
	if got := problems(); len(got) > 0 {
		t.Errorf("at the start after: %q", got)
	}
}
