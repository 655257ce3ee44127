// Package oncall says who is on call: schedules of people, read from files, with what was swapped at short notice.
//
// It pages nobody: internal/oncall/escalation does. The arithmetic is rota's, what levels and policies mean is policy's; this room reads and checks definitions, keeps overrides in the state, answers
// who is on call, and proves for the days to come that somebody always is.
//
// In: files of schedules, and overrides by people. Out: spans of who is on call, and gaps.
//
// Invariants: a schedule in a file with an error keeps its last good version. An override is kept before it is
// answered, and is of a schedule that is in force and of a person whom a file names. Overrides of a schedule that is
// gone are kept, and count again when it returns.
//
// Start reading at Definition, then Room.
package oncall
