// Package bundle writes what a ledger proves of an agreement, or of all of itself,
// into one file, and verifies such a file with no server, no network and no trust
// in who made it.
//
// # Format
//
// A bundle is a tar archive of regular files, written and read as a stream. It is
// the same bytes for the same log and checkpoints. The entries, in this order:
//
//	bundle.json                                  what the bundle is, see [Manifest]
//	keys.json                                    the keys of the ledger and of the parties, see [Keys]
//	checkpoints/ledger/<size>.checkpoint         signed notes of the ledger's tree, by ascending size
//	checkpoints/agreement/<key>/<size>.checkpoint  those of an agreement's tree, by key, then size
//	events.jsonl                                 {"seq":12,"event":<the stored bytes>} by ascending sequence, a line each
//	ledger/<seq>.tlog-proof                      events of no agreement, each with its proof, by ascending sequence
//	evidence/<sha256>                            files that events name, by ascending hash; where they were asked for
//	end.json                                     how many entries came before, and what they hash to, see [End]
//
// Sizes and sequences in names have 20 digits. A bundle of the whole ledger has all
// events up to a sequence in events.jsonl, and no proofs. One of an agreement has
// the events of the agreement's tree there, and with a proof against the one
// checkpoint of the ledger's tree that it has, those of the keyring and of the
// parties to the agreement: the keys of the ledger and of its witnesses come from
// them.
//
// The state digest in the manifest is the SHA-256 of a text that tells the state
// of every aggregate in the bundle: the aggregates ascending by agreement ("-" for
// none), kind and key, each with a line for itself and one for every field that
// says something, in the order of its declaration:
//
//	<agreement>.<kind>.<key> <version>
//	<field> <canonical JSON>             of the aggregate itself
//	<part>.<field> <canonical JSON>      of a part of it: milestone/site.due "2018-03-31"
//
// # What is proved
//
// [Verify] recomputes everything and believes nothing that it can compute: each
// event is hashed into its trees, whose roots must be those of every checkpoint
// at its size; each checkpoint is signed by a key that the ledger's first key leads
// to; the countersignatures are by the parties' keys; the events are of this
// ledger and agreement, and the versions of each aggregate leave no gap; folded,
// they come to the state of the manifest; each file has the hash of its name.
// Whoever was given the ledger's first key, or a later one, has to trust nobody
// for this; a party's countersignature says that the party saw the same events.
//
// What no bundle can prove is said here: without a key of the verifier's own the
// ledger's signature shows only that the bundle is of one piece. The sequences in a
// bundle of an agreement are what the ledger says, but for those of its proofs; so
// is that the keyring and the parties have no later events than those, which a
// bundle of the whole ledger does prove. An event beyond the newest countersignature
// of a party is pending for that party; in a bundle of an agreement only those of the
// agreement's own tree count, since what they have in common with the ledger's is not
// in it. The hash in end.json tells damage, not forgery. TestTampering has a row for
// each way to forge.
package bundle
