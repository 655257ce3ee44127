// Package policy decides who may do what: the one place where roles, bindings and the grants of tokens
// become an answer. Cedar's engine evaluates; this package writes the policies that it evaluates.
//
// It knows no requests and no passwords. In: roles and bindings of the configuration, an identity, a permission, a tenant.
// Out: allowed or not, which namespaces, and by which bindings.
//
// Invariants: what no binding gives is refused; a binding of namespaces never gives what reaches a whole tenant or the
// process; a token never may more than its owner may at the time; groups of our own, signalbox:…, count for local users alone. A Policy
// is immutable but for its cache, which is bounded and guarded by its own lock.
//
// Start reading at Config, then Policy.Decide.
package policy
