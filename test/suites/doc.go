// Package suites runs public test suites against the built binary.
//
// It is a module of its own, so that what the suites need is no dependency of the
// product. Suites that are Go modules are dependencies here; the others are
// checkouts in the folder that SUITES names. SIGNALBOX_BINARY names the program, ../../bin/signalbox by default.
// But for -short the reference runs beside: its programs are pinned by the module in reference/ and
// built into ../../bin/reference, or taken from the folder that REFERENCE names.
//
// Start reading at promql_test.go.
package suites
