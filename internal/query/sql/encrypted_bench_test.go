package sql

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// BenchmarkEncryptedSQL asks 200 k lines, a worker each time; compare with benchstat -col /encrypt.
func BenchmarkEncryptedSQL(b *testing.B) {
	records, r := make([]model.LogRecord, 200_000), rand.New(rand.NewPCG(6, 6))
	for i := range records {
		records[i] = model.LogRecord{
			Time: t0.Add(time.Duration(i) * time.Millisecond).UnixNano(), Level: model.LevelInfo, Message: fmt.Sprintf("request %d served in %d ms", r.Uint32(), r.IntN(500)),
			Resource: resource("default", "edge"), TraceID: model.TraceID{1, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}, RequestID: fmt.Sprintf("%016x", r.Uint64()),
		}
	}
	for _, encrypt := range []bool{false, true} {
		db := kept(b, b.TempDir(), encrypt, records, nil)
		if err := db.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
		e, err := New(DefaultConfig(), Deps{Source: db, Dir: b.TempDir(), Worker: worker()})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("encrypt=%t", encrypt), func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Query(b.Context(), "default", "SELECT level, count(*) FROM logs WHERE message LIKE '%served%' GROUP BY ALL", 100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
