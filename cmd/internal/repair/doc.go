// Package repair decides how a damaged log is made whole again, from what is left
// of it and from another source of its events, such as a bundle or a backup.
//
// What holds: nothing is believed but a checkpoint that the ledger signed. An
// event is taken, wherever it comes from, only if it hashes to the leaf that the
// tree of the checkpoint has at its sequence; its subject comes from the event
// itself. The leaves, in turn, are believed only if they give the signed root.
// Where one sequence cannot be proven there is no plan, and nothing is changed.
//
// What lies behind the checkpoint nobody signed for: it stays as the log has it,
// if it follows on, event by event and version by version. Where an event of it
// cannot be read there is no plan either, unless the caller accepts that the log
// ends before it.
//
// The package does no I/O of its own. It keeps in memory the hash of each event,
// and the bytes of those that it puts back.
package repair
