// Package ledger is the write path: it loads the state that a command is asked
// of, decides, appends, and gives a receipt. It is the one place that joins
// domain to eventstore.
//
// What a caller may rely on:
//
//   - A receipt means that the command's events are in the log, synced to disk,
//     once, in one atomic append, at the sequences that the receipt names.
//   - A *domain.Rejected means that nothing was written. It is decided on the
//     present state of the log, not on a stale copy (TestNoRefusalIsOfAnOldState), and
//     on the states of one moment (TestARefusalIsOfOneMoment): together with the
//     receipts there is an order of all commands, whichever server they were sent to,
//     that explains every answer (TestLinearizable).
//   - The evidence that a command names was stored before it was accepted, and
//     is for ever.
//   - A command with an idempotency key is done once, for ever: sent again, it
//     gives the first receipt; another command under the same key is refused.
//     The log itself holds the keys (commandid and commandhash of each event).
//   - A lost acknowledgement or a conflict is settled by looking for the
//     command in the log and, when it is not there, deciding again. Only when the
//     log cannot be read either does the caller get *eventstore.OutcomeUnknownError;
//     the same command with the same key is then safe to send again.
//   - A [Plan] is what a command would record were it executed at once: it is made
//     by the same decision, on the present state of the log, and nothing is
//     written (TestAPlanIsWhatExecuteRecords).
//   - The first command on an aggregate costs the same however many events it has: it
//     begins with a snapshot that the register has, and reads what came after
//     (TestTheFirstCommandOfAnAggregateReadsNoEvents). So does a correction of any of
//     them (TestACorrectionReadsNoHistory).
//   - After [ErrConflict] nothing was written: others changed the same aggregate
//     each time, and gave it up after a bounded number of tries.
package ledger
