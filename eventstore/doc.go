// Package eventstore keeps a ledger's log: an ordered, append-only sequence
// of records in one NATS JetStream stream, in a server embedded in this
// process or in an external one. It deals in bytes and knows nothing of what
// they mean.
//
// # What an acknowledged Append means
//
// When [Store.Append] returns without error, all its messages are in the log
// at the sequences first, first+1, and so on, and on disk: the embedded server
// calls fsync before it answers. An external server does so only if it is
// configured to (sync_interval: always); a store refuses one that is known not
// to, and warns when it cannot know. In a cluster, a quorum has the messages.
//
// All of an append is written or none of it: one message is one publish,
// several are one of JetStream's atomic batches. The embedded server stages
// these in the memory of the machine where there is some (/dev/shm), and
// finishes from there what a killed process had begun to commit. What a power
// cut leaves of a batch was never acknowledged, nor shown, as the server shows a
// batch when it is synced; it is taken out of the log when that is opened, which
// says so. Where the disk may be too full for a batch, so that the server could
// fail in the midst of one, it stages on disk.
//
// Each subject it touches was at the sequence it expected. Of any number of
// appends with the same expectation for a subject, from any number of stores
// and processes, at most one succeeds. This is the only guard against
// concurrent decisions, and it is the server that checks it, always on literal
// subjects: on replicated streams expectations on wildcards are not safe.
//
// An error means that nothing was written, except for [*OutcomeUnknownError],
// which means what it says. No retry by this package can write an append
// twice: it sends again only what was certainly not written.
//
// # What readers may rely on
//
// The sequence is the order, the same for every reader and for ever; clocks
// play no part. [Store.Read] and [Store.Subscribe] yield records in sequence
// order, without a filter each sequence exactly once from the first asked for
// ([*GapError] if one is missing), and stop at an atomic batch that is in the
// log only in part ([*TornBatchError]). Records of an atomic batch are
// contiguous; a subscriber can be handed the beginning of a batch before its
// end. [Store.Last] never lies inside a batch. Who subscribes to a whole log
// that only this store writes to is handed what was acknowledged as it is.
//
// The stream of an open store is never updated, purged or deleted, and one whose
// settings could lose records is refused ([*LossyStreamError]). Only [Rewrite]
// makes a log anew, while no store is open: beside the old one, which stays.
// [Restore] makes one where there is none, in a directory or on an external server, the
// same to the byte as the one that [Store.ReadStored] read; until all of it is there Open
// refuses it ([*UnfinishedRestoreError]). Before that whoever restores can read it again
// ([Restoring.Finish]): a backup's records are all read and compared with what was signed;
// its evidence, whose hash is compared as it is stored, is counted. Restore replaces
// nothing: it deletes only streams that say of themselves that a Restore has not ended,
// and none of one that goes on.
//
// JetStream itself may cut off a damaged block and hand its sequences out again,
// so whoever keeps a position or hashes must compare them with the log when it
// starts; Subscribe notices a position beyond the end. A log whose end is there
// and cannot be read is not taken for a shorter one ([*DamagedError]). Where in a
// cluster only the copy of a server is damaged that does not lead, readers without a
// filter and those who ask where the log ends are answered from another one.
//
// # In a cluster
//
// A quorum has what was acknowledged, and whoever leads next has it too. A follower
// that answers may lag behind, and a leader that was cut off may not know it yet: so
// the present state of an aggregate is what [Store.Aggregate] yields, if it comes to
// the end that [Store.Ends] says afterwards. A server that hangs is
// given up within some seconds, by the store and by its readers, for another one, and
// so is one that answers and through which no leader has been heard for ten; what was
// asked of it is asked again. While there is no leader, which takes up to ten seconds,
// appends fail with [ErrUnavailable]. The tests of faults kill and pause servers, and
// part them.
//
// # Evidence
//
// Files that records refer to are beside the log, in a JetStream object store
// (milepost-<ledger>) with the log's own settings and replicas, each under its
// SHA-256: [Store.PutEvidence], [Store.Evidence], [Store.HasEvidence]. Evidence
// is visible when all of it is on disk and never before, and is neither changed
// nor removed afterwards. Whoever reads it to the end has the bytes that the
// hash names; TestEvidence_damageShowsBeforeTheEnd shows it. Neither way keeps
// more than a few pieces of a file in memory. A copy of the ledger needs both
// streams, the log's and OBJ_milepost-<ledger>.
//
// # Who reads from outside
//
// With [Config.Listen] the embedded server takes in those whom [Subscribers] names,
// by the signature of their NATS user key, and nobody else. Each reads one durable
// consumer ([Store.EnsureConsumer]), in order, every record at least once, and can
// do nothing else: TestSubscriberMayNothingElse and
// TestSubscriberCannotHaveAnswersSentIntoTheLog try it. Whoever is not named any
// more has no connection left once [Store.Disconnect] returns. Beyond loopback
// there is only TLS.
//
// # How appends share commits
//
// Appends queue for one committer. A few go as plain publishes, pipelined;
// many share an atomic batch, which the server syncs once. When a shared batch
// is refused, its appends are committed one by one, so that only those at
// fault fail. At most one append per subject is under way at a time.
//
// The directory is locked while a store is open: JetStream does not notice
// when two servers use the same files.
package eventstore
