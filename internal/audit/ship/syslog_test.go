package ship

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
)

// rsyslog is a real receiver: TCP, TLS that demands a client's certificate, and UDP. It writes what it understood of each
// message as JSON to a file for each way.
type rsyslog struct {
	dir   string
	ports map[string]string
	tls   promconfig.TLSConfig
}

const inputs = `global(workDirectory="%[1]s" maxMessageSize="256k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[2]s" defaultNetstreamDriverKeyFile="%[3]s")
module(load="imtcp")
module(load="imudp")
template(name="seen" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}
ruleset(name="tcp") { action(type="omfile" file="%[1]s/tcp" template="seen") }
ruleset(name="tls") { action(type="omfile" file="%[1]s/tls" template="seen") }
ruleset(name="udp") { action(type="omfile" file="%[1]s/udp" template="seen") }
input(type="imudp" address="127.0.0.1" port="%[6]s" ruleset="udp")
input(type="imtcp" address="127.0.0.1" port="%[4]s" ruleset="tcp" streamDriver.name="ptcp" streamDriver.mode="0")
input(type="imtcp" address="127.0.0.1" port="%[5]s" ruleset="tls" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
`

func startRsyslog(t *testing.T) *rsyslog {
	t.Helper()
	binary := ""
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if exec.Command("test", "-x", filepath.Join(dir, "rsyslogd")).Run() == nil {
			binary = filepath.Join(dir, "rsyslogd")
		}
	}
	if binary == "" {
		t.Skip("NOT TESTED: rsyslogd is not installed (scripts/need.sh rsyslogd installs it)")
	}
	r := &rsyslog{dir: t.TempDir(), ports: map[string]string{"tcp": freePort(t), "tls": freePort(t), "udp": freePort(t)}}
	ca := certstest.NewCA(t, "siem")
	r.tls.CAFile = certstest.Write(t, r.dir, "ca.pem", ca.PEM())
	cert, key := ca.Issue("server", certstest.For("siem.example.org")).Write(r.dir, "server")
	r.tls.CertFile, r.tls.KeyFile = ca.Issue("client").Write(r.dir, "client")
	r.tls.ServerName = "siem.example.org"
	file := certstest.Write(t, r.dir, "rsyslog.conf", []byte(fmt.Sprintf(inputs, r.dir, cert, key, r.ports["tcp"], r.ports["tls"], r.ports["udp"])))
	cmd := exec.Command(binary, "-n", "-iNONE", "-f", file)
	var said strings.Builder
	cmd.Stderr, cmd.Stdout = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	until(t, "rsyslog listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+r.ports["tls"])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return r
}

// freePort is one where nothing listens, for TCP and UDP. It lies below those that the kernel gives to whoever asks for any:
// another test's connection would have it before rsyslog.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(12000 + rand.IntN(18000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		c, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		_ = l.Close()
		if err == nil {
			_ = c.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// until waits for another process or goroutine, which nothing else tells us of.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 12000 {
		if is() {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s: not within two minutes", what)
}

type seen struct{ Pri, Time, Host, App, Msgid, Data, Text string }

func (r *rsyslog) seen(t *testing.T, way string, n int) (out []seen) {
	t.Helper()
	var lines []string
	until(t, way+" has arrived", func() bool {
		text, _ := os.ReadFile(filepath.Join(r.dir, way))
		lines = strings.SplitAfter(string(text), "\n")
		return len(lines) > n
	})
	for _, l := range lines[:len(lines)-1] {
		var s seen
		if err := json.Unmarshal([]byte(l), &s); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		out = append(out, s)
	}
	return out
}

func TestRsyslogUnderstandsEveryMessage(t *testing.T) {
	r := startRsyslog(t)
	for _, way := range []string{"tcp", "tls", "udp"} {
		dir := t.TempDir()
		l := logWith(t, filepath.Join(dir, "log"), 3)
		cfg := &Syslog{Address: way + "://127.0.0.1:" + r.ports[way], Hostname: "box"}
		if way == "tls" {
			cfg.TLS = &r.tls
		}
		s, err := New([]Target{{Name: "siem", Syslog: cfg}}, Deps{Log: l, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(s)
		n := int(l.Kept())
		got := r.seen(t, way, n)
		stop()
		var lines strings.Builder
		for _, m := range got {
			lines.WriteString(strings.TrimPrefix(m.Text, " ") + "\n")
		}
		if v, _, err := auditlog.CheckExport(strings.NewReader(lines.String()), false); err != nil || !v.Intact || v.Entries != int64(n) {
			t.Errorf("%s: what rsyslog has does not prove itself: %+v %v", way, v, err)
		}
		last := got[len(got)-1]
		if last.Pri != "109" || last.Host != "box" || last.App != "signalbox" || last.Msgid != "query.metrics" || !strings.HasPrefix(last.Time, "20") {
			t.Errorf("%s: %+v", way, last)
		}
		for _, want := range []string{`[signalbox@32473 `, `actor="user:ann"`, `tenant="pay"`, `subject="/api/v1/query"`, `remote="192.0.2.7"`, fmt.Sprintf(`id="%d"`, n)} {
			if !strings.Contains(last.Data, want) {
				t.Errorf("%s: %s is not in %s", way, want, last.Data)
			}
		}
	}
}

// frames reads messages framed by octet counting, RFC 6587 3.4.1.
func frames(r io.Reader, yield func(string)) {
	in := bufio.NewReader(r)
	for {
		size, err := in.ReadString(' ')
		n, err2 := strconv.Atoi(strings.TrimSuffix(size, " "))
		if err != nil || err2 != nil {
			return
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		yield(string(text))
	}
}

// A receiver that closes its connections, as one that is restarted does, gets everything; the last batch it had twice.
func TestAReceiverThatIsRestartedMissesNothing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	arrived := make(chan string, 1000)
	conns := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c
			go frames(c, func(m string) { arrived <- m })
		}
	}()
	dir := t.TempDir()
	l := logWith(t, filepath.Join(dir, "log"), 2)
	s, err := New([]Target{{Name: "siem", Syslog: &Syslog{Address: "tcp://" + ln.Addr().String()}}}, Deps{Log: l, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(s)
	defer stop()
	var ids []string
	take := func(n int64) {
		for range n {
			_, rest, _ := strings.Cut(<-arrived, ` id="`)
			id, _, _ := strings.Cut(rest, `"`)
			ids = append(ids, id)
		}
	}
	first := l.Kept()
	take(first)
	until(t, "the position is kept", func() bool { return s.Targets()[0].Waiting == 0 })
	_ = (<-conns).Close()
	write(t, l, 1)
	take(first + 1)
	want := []string{}
	for _, n := range append(upTo(first), upTo(first+1)...) {
		want = append(want, strconv.FormatInt(n, 10))
	}
	if !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	_ = (<-conns).Close()
}

// What a caller writes can neither end a message, nor begin another, nor make it too long for its way.
func TestNoTextBreaksAMessage(t *testing.T) {
	s, err := newSyslog(Syslog{Address: "udp://127.0.0.1:9"}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a\n<0>1 - - - - - -", `"] [x@1 y="`, `\`, strings.Repeat("ä", 20000), "\x00\xff", ""} {
		e := entry{line: []byte(`{"entry":1}`)}
		e.ID, e.Actor, e.Action, e.Subject, e.Tenant = 1, text, text, text, text
		m, err := s.(*syslog).message(e)
		if err != nil || !strings.HasSuffix(m, ` {"entry":1}`) || strings.ContainsAny(m, "\n\x00") || len(m) > datagram || strings.Count(m, "[signalbox@") != 1 {
			t.Errorf("%.60q: %v %.300q", text, err, m)
		}
	}
}
