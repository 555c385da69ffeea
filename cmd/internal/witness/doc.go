// Package witness is how a party watches a ledger that somebody else runs: it
// remembers the last checkpoint of each tree that it saw, countersigns a newer one
// only when that is consistent with it, and hands the countersignature in.
//
// What a party may rely on:
//
//   - It never countersigns two trees of one origin that do not belong together,
//     nor a smaller one after a larger one, as long as its directory is kept: what
//     it is about to countersign is on disk before the countersignature leaves.
//   - The ledger's key is the one that the party was given, or else the one that
//     it met first; a later key must have been handed over to by it, see package
//     signing.
//   - A ledger that shows a fork or a rollback is refused with a [*ConflictError],
//     and both checkpoints, each with the ledger's signature, are kept in files.
//     Two of one size prove a fork to anybody; of others the ledger must show that
//     they belong together, to whoever asks.
package witness
