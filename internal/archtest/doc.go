// Package archtest keeps the architecture: import layers, documented packages
// and size budgets are tests here and fail the build.
//
// It holds no product code. It reads the module's sources as text, so it sees
// what a reader sees. To bend a rule, add a line with its reason to exceptions.go.
package archtest
