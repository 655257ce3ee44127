// Package contract reads remedies: what is done about an alert, under which conditions, how far it may reach, and how one sees
// that it helped.
//
// It decides nothing and carries nothing out. In: YAML files. Out: remedies, and everything that is wrong with them at once.
//
// Invariant: what an alert says of itself comes from whoever sends it. A label of it stands in a query as a value only, never as a
// part of the query; a target or an argument that is taken from one must be allowed by a matcher of the remedy's trigger.
//
// Start reading at Remedy, then Load.
package contract
