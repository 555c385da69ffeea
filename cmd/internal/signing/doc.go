// Package signing is the key with which a ledger signs its checkpoints: the file
// that it lies in, how it is replaced, and how anyone who knows the first one
// comes to the present one.
//
// What a caller may rely on:
//
//   - A secret is in its file and in memory and nowhere else: not in the log,
//     not in an error, not on a command line. The file is the owner's alone.
//   - The first key is made together with the ledger and recorded with its log.
//     Each later one was handed over to by the one before it, with a signature
//     that is an event in the log; [Chain] checks every one of them.
//   - [Match] refuses a key that is not the present one, when a process starts. One
//     that runs on while another rotates the key signs with the old one until it
//     is started again: stop all servers of a ledger to replace its key.
//   - [Rotate] can be interrupted at any point; the next start finishes it, or
//     goes on with the old key.
package signing
