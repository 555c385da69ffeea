// Package notary watches over a log: it signs checkpoints of it, keeps them
// apart from it, takes in the countersignatures of parties, and refuses a log
// that does not agree with what was signed.
//
// What a caller may rely on:
//
//   - [Open] reads the whole log and hashes every record. It returns a
//     [*DisagreeError] that names a sequence when the log is not the one that
//     any kept checkpoint was signed for: a record changed, left out, put in or
//     moved, or the end cut off.
//     Where that takes longer than the caller can wait it goes on beside, nothing is
//     signed before it has ended, and [Notary.Run] returns the error. A log that ends
//     before the newest checkpoint is refused by Open all the same.
//   - What is signed is the tree of what was read from the log itself, record by
//     record, and of nothing else: an index that somebody edited cannot make it
//     sign another history. A checkpoint is on disk before it is handed out.
//   - A countersignature is kept only if it is valid, by a key that the caller
//     vouches for, and of a tree that is a beginning of the present one. The
//     newest checkpoint and each witness's newest are kept for ever; those
//     between are dropped.
//   - [Notary.Run] keeps the last checkpoint close to the end of the log, and
//     reads and hashes the log over and over at a bounded rate, to find what has
//     changed on the disk below a running ledger ([Notary.Scrub]).
//
// Checkpoints are files <dir>/<tree>/<size>.checkpoint, signed notes that anyone
// can read; a tree is "ledger" or "agreement-<key>".
package notary
