// Package escalation brings pages to the people who take them: it reconciles what fires with who was told, until somebody
// has acknowledged or it is over.
//
// For each page that a policy is for it keeps one document: the step, what is due, what was tried to whom with which receipt,
// and the reasons in words. It looks at the page and at that document and does what is due: level-triggered, so that nothing
// depends on having seen an event. What is to be sent is written down before it is sent, and again afterwards: a crash in between
// sends again, with the same key. Who is on call is asked when a step begins, not before.
//
// In: pages, the roster in force, silences, a clock, a notify.Courier. Out: messages, documents, metrics.
//
// Invariants: a silence of all alerts of a page, its end and its acknowledgement stop what would page. A step with nobody takes
// no time. A step that was overdue begins once, and the one after it waits as long as it always does. Who was told is told of
// the acknowledgement and of the end. One address gets a bounded number of messages, and the rest in a summary. A page that nobody took is
// counted, logged and marked.
//
// Start reading at Record, then turn.decide.
package escalation
