package directory

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// through is a directory whose server is a function that holds the other end of each connection.
func through(serve func(net.Conn)) *Directory {
	d := New(Config{
		Servers: []string{"ldap://localhost"}, UserBind: "uid={user},ou=people,dc=example,dc=org",
		User: User{BaseDN: "dc=example,dc=org"}, Groups: Groups{BaseDN: "dc=example,dc=org"},
	}, time.Now, nil)
	d.dial = func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serve(theirs)
		}()
		return ours, nil
	}
	return d
}

// answer is an LDAP message with a result code.
func answer(id int64, tag ber.Tag, code int64) []byte {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	r.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	r.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	p.AppendChild(r)
	return p.Bytes()
}

func readOne(c net.Conn) { _, _ = ber.ReadPacket(c) }

func TestAServerThatMisbehavesIsUnavailable(t *testing.T) {
	bound := func(c net.Conn) { readOne(c); _, _ = c.Write(answer(1, ldap.ApplicationBindResponse, 0)); readOne(c) }
	for name, serve := range map[string]func(net.Conn){
		"closes at once":          func(net.Conn) {},
		"closes after a question": readOne,
		"reads nothing":           func(c net.Conn) { time.Sleep(time.Hour) },
		"never answers":           func(c net.Conn) { readOne(c); time.Sleep(time.Hour) },
		"stops within an answer": func(c net.Conn) {
			readOne(c)
			_, _ = c.Write(answer(1, ldap.ApplicationBindResponse, 0)[:7])
			time.Sleep(time.Hour)
		},
		"closes within an answer": func(c net.Conn) { readOne(c); _, _ = c.Write(answer(1, ldap.ApplicationBindResponse, 0)[:7]) },
		"announces two gigabytes": func(c net.Conn) {
			readOne(c)
			_, _ = c.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x04, 0x84, 0x7f, 0xff, 0xff, 0xf0})
		},
		"speaks HTTP": func(c net.Conn) { readOne(c); _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"answers another question": func(c net.Conn) {
			readOne(c)
			_, _ = c.Write(answer(7, ldap.ApplicationBindResponse, 0))
			time.Sleep(time.Hour)
		},
		"drips": func(c net.Conn) {
			readOne(c)
			for _, b := range answer(1, ldap.ApplicationBindResponse, 0) {
				time.Sleep(time.Minute)
				_, _ = c.Write([]byte{b})
			}
		},
		"binds, then hangs":  func(c net.Conn) { bound(c); time.Sleep(time.Hour) },
		"binds, then closes": bound,
		"binds, then answers nonsense": func(c net.Conn) {
			bound(c)
			_, _ = c.Write(answer(2, ldap.ApplicationSearchResultEntry, 0))
			time.Sleep(time.Hour)
		},
		"is busy": func(c net.Conn) {
			readOne(c)
			_, _ = c.Write(answer(1, ldap.ApplicationBindResponse, ldap.LDAPResultBusy))
			time.Sleep(time.Hour)
		},
		"binds, then refers to another": func(c net.Conn) {
			bound(c)
			_, _ = c.Write(answer(2, ldap.ApplicationSearchResultDone, ldap.LDAPResultReferral))
			time.Sleep(time.Hour)
		},
		"wants encryption": func(c net.Conn) {
			readOne(c)
			_, _ = c.Write(answer(1, ldap.ApplicationBindResponse, ldap.LDAPResultStrongAuthRequired))
			time.Sleep(time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var down *login.Unavailable
				l, err := through(serve).Login(t.Context(), "ann", "pw")
				if !errors.As(err, &down) || l.Subject != "" {
					t.Errorf("%+v, %v", l, err)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
				if strings.HasPrefix(name, "wants") && !strings.Contains(err.Error(), "start_tls") || strings.Contains(name, "refers") && !strings.Contains(err.Error(), "name it in servers") {
					t.Errorf("no cure: %v", err)
				}
				time.Sleep(2 * time.Hour) // the servers end; nothing of ours may be left, or the bubble fails
			})
		})
	}
}

func TestWhoGoesAwayIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := through(func(c net.Conn) { readOne(c); time.Sleep(time.Hour) }).Login(ctx, "ann", "pw"); err == nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(2 * time.Hour)
	})
}

// Whatever a server sends, nobody comes in whom it didn't name, nothing panics, and memory stays bounded.
func FuzzAnswers(f *testing.F) {
	ok := answer(1, ldap.ApplicationBindResponse, 0)
	f.Add(ok, answer(2, ldap.ApplicationSearchResultDone, 0), []byte{})
	f.Add(ok, []byte{0x30, 0x0c, 2, 1, 2, 0x64, 7, 4, 1, 'x', 0x30, 2, 4, 0}, answer(3, ldap.ApplicationExtendedResponse, 0))
	f.Add(ok, []byte{0x30, 0x80, 0, 0}, []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x30, 5, 2, 1, 1, 0x61, 0}, []byte{}, []byte{})
	f.Add(ok, []byte("0\x05\x02\x01\x02d\x00"), []byte("0\x07\x02\x01\x02e\x02\x0a\x00"))
	f.Fuzz(func(t *testing.T, first, second, third []byte) {
		d := through(func(c net.Conn) {
			for _, b := range [][]byte{first, second, third} {
				readOne(c)
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		})
		d.cfg.Timeout = model.Duration(200 * time.Millisecond)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l, err := d.Login(t.Context(), "ann", "pw")
		runtime.ReadMemStats(&after)
		if err == nil && l.Subject == "" {
			t.Error("a login of nobody")
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%d bytes", used)
		}
	})
}
