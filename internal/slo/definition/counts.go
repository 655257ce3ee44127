package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Counts names what the definition counts, whatever its window and objective:
// figures kept under another name are of something else.
func (d *Definition) Counts() string {
	sum := sha256.Sum256([]byte(fmt.Sprint(d.Queries, d.Method, d.Measure.Identity())))
	return hex.EncodeToString(sum[:16])
}

// Compose is what a composite counted, from what each of its Parts did, in their order.
func (d *Definition) Compose(parts []ledger.Cell) ledger.Cell {
	return compose(d.Parts, d.Objective, parts)
}

// Measures names what an SLO counts: a ledger of anything else is of no use.
func (d *Definition) Measures() string {
	sum := sha256.Sum256([]byte(fmt.Sprint(d.Queries, d.Window, d.Method, d.Measure.Identity())))
	return hex.EncodeToString(sum[:16])
}
