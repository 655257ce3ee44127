// Package site makes the files of a status page of a View: HTML, JSON as Statuspage's API has it, feeds and a badge.
//
// In: a View and the address of the page. Out: every file of the page by its path, the same whether a server answers with them or they lie in a
// folder: links between them are relative. Reading needs no script; one short script says how old what is shown is, and is named in the policy by
// its hash.
//
// Invariants: a View of the same content gives the same bytes; what people wrote is text, never markup. The package asks nothing and writes nothing.
//
// Start reading at Build.
package site
