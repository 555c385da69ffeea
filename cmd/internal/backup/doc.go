// Package backup is the file from which a ledger can be made again: its whole log
// up to a sequence, the evidence, and the signed checkpoints.
//
// # The file
//
// It is a tar archive, in the one spelling that [tape] has, written and read as a
// stream. The entries, in this order:
//
//	backup.json                      whose backup it is, see [Head]
//	log/<sequence>                   records from that sequence on, by ascending sequence
//	checkpoints/<agreement>/<size>   signed notes with countersignatures; those of the ledger's tree under "-"
//	evidence/<sha256>                every file that is stored whole, by ascending hash
//	manifest.json                    up to where it goes, and the SHA-256 of each entry, see [Manifest]
//	manifest.sha256                  the SHA-256 of manifest.json
//
// Sequences and sizes in names have 20 digits. A record is a line of JSON, then as
// many bytes as that says, then a line end:
//
//	{"seq":12,"subject":"...","stored":"2026-11-29T00:49:46.1Z","headers":{"Nats-Msg-Id":["..."]},"bytes":412}
//
// A version of the format that was released is read for ever: the program's testdata
// has a file of each, and its TestEveryVersionRestores restores them.
//
// # What a caller may rely on
//
// A backup is as of one sequence: the one that a checkpoint covers which is signed
// when the log has been written up to about its end, however much is appended
// meanwhile. Whatever was acknowledged before Write began is in it. What the
// records hash to is compared with that checkpoint before Write returns, so a
// damaged log gives an error and no backup; a file that breaks off is none. Damaged
// evidence is left out, and saves the rest: Write and all who read the backup tell which
// files it has not.
//
// Verify and Restore believe nothing that they can compute: each entry has its
// hash, the sequences leave no gap, the records hash to the root of the checkpoint,
// a key signed it that the ledger's first key leads to, each file of evidence has
// the hash of its name. There is no byte of a file that can be changed or left out
// unnoticed; TestEveryByteCounts tries. Whoever gives the ledger's key as it was
// given to him has to trust nobody; without it a backup proves that it is of one
// piece.
//
// Restore makes the same log: sequences, subjects, headers and bytes, in a data
// directory or on an external server. Only when a record was stored is the restored
// server's to say; the event itself says when it was recorded. Before all has been
// checked and is on disk there is no ledger.
//
// Neither way keeps more in memory than a few pieces of a file, and the manifest.
// Secrets are never in a backup: see [Keys] for those.
package backup
