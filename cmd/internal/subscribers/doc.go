// Package subscribers keeps NATS in step with the subscribers that the log
// names: a durable consumer for each that stands, none for one that was revoked,
// and no delivery to one that is cut off.
//
// What may be relied on:
//
//   - Nobody reads but who was added with add-subscriber and not revoked, shown by
//     the signature of its key at every connection. Nothing of that is kept
//     outside the log.
//   - A subscriber that is not cleared is cut off while anything that it reads of
//     is restricted: raw events cannot be shown in part. It is disconnected, its
//     consumer is paused, and its key is refused until nothing is restricted any
//     more; then it goes on where it was.
//   - Both take hold a moment after the directory of package access has the event,
//     not with its receipt: what is appended in the same moment as a restriction
//     may be delivered still.
//   - With an external server it is that one's operator who lets a subscriber in:
//     [Credentials] says how. Being cut off is then being paused, and being revoked
//     that the consumer is gone.
//   - Nobody is sent the events that say who may do what, and what is restricted.
package subscribers
