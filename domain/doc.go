// Package domain is the vocabulary of the ledger and its rules, as pure code.
//
// A command is asked of one aggregate; the aggregate's state decides it, or
// refuses it; what was decided is one or more events; events evolve the state:
//
//	Decide(state, command, input) -> events, or *Rejected
//	Evolve(state, event)          -> state
//
// The packages below this one hold the aggregates (party, agreement, project);
// package catalogue lists them all. What they guarantee together:
//
//   - Nothing here does I/O, reads a clock or draws a random number. Time, the
//     asker and other aggregates' states come in through [Input].
//   - States are immutable values: Evolve returns a new state and shares what
//     did not change, so a state may be kept, cached and compared for ever.
//   - Evolve accepts every event in any order and never fails: rules are
//     checked once, by Decide, and never again by those who read.
//   - A refusal is a [*Rejected] with a stable code, the field that is to blame
//     and what to do about it; nothing was decided then.
//   - Every field of a state is covered by [Diff], which finds the fields of an
//     aggregate by reflection: a new field cannot be left out of its history.
package domain
