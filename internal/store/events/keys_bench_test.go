package events

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// eachWay runs a benchmark of a plain and of an encrypted store; compare with benchstat -col /encrypt.
func eachWay(b *testing.B, bench func(b *testing.B, db *DB)) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("encrypt=%t", on), func(b *testing.B) {
			bench(b, open(b, encrypted(on), Deps{Dir: b.TempDir(), Now: time.Now, Sealer: sealtest.Keys{"a"}}))
		})
	}
}

// BenchmarkEncryptedAppend is BenchmarkAppendLogs both ways.
func BenchmarkEncryptedAppend(b *testing.B) {
	records := benchLogs(65536)
	eachWay(b, func(b *testing.B, db *DB) {
		run(b, db)
		const batch = 1000
		start, rows := cpu(), 0
		for b.Loop() {
			from := rows / batch % 64 * batch
			list := records[from : from+batch]
			for i := range list {
				list[i].Time = noon.UnixNano() + int64(rows+i)*1000
			}
			if err := db.AppendLogs(b.Context(), list); err != nil {
				b.Fatal(err)
			}
			rows += batch
		}
		report(b, db, part.Logs, rows, start)
	})
}

// BenchmarkEncryptedSearch asks 500 k lines in 8 parts.
func BenchmarkEncryptedSearch(b *testing.B) {
	const parts = 8
	records := benchLogs(parts << 16)
	for i := range records {
		records[i].Time = noon.UnixNano() + int64(i)*1e6
	}
	questions := []struct {
		name  string
		limit int
		expr  store.Expr
	}{
		{"needle", 0, store.Compare{Field: "request_id", Value: records[4711].RequestID}},
		{"word AND service, latest 100", 100, store.And{Exprs: []store.Expr{store.Text{Phrase: "miss"}, store.Compare{Field: "service", Value: "service-3"}}}},
		{"substring within words", 0, store.Regexp{Re: regexp.MustCompile(`rderAccepted id=4711`)}},
	}
	eachWay(b, func(b *testing.B, db *DB) {
		for i := range parts {
			if err := db.AppendLogs(b.Context(), records[i<<16:(i+1)<<16]); err != nil {
				b.Fatal(err)
			}
			if err := db.Seal(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		for _, q := range questions {
			b.Run(q.name, func(b *testing.B) {
				for b.Loop() {
					for _, err := range db.Logs(b.Context(), store.LogQuery{Tenant: "default", Limit: q.limit, Expr: q.expr}) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	})
}
