// Package e2e tests the real binary from outside: real clients, real sockets,
// real files, kill -9.
//
// It holds tests only. TestMain builds the binary once (with the race detector
// when the tests run with it); SIGNALBOX_BINARY names another one to test. Start
// reading at harness_test.go.
package e2e
