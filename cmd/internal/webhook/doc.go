// Package webhook sends events to the addresses that the ledger's webhooks name.
//
// What whoever receives them may rely on, and TestDeliverer_* show:
//
//   - Signed: each request has the headers webhook-id (the event's id, the same
//     each time that it is sent), webhook-timestamp and webhook-signature of
//     Standard Webhooks, by which it can be told from any other. The body is the
//     event as the log has it, byte for byte, and Milepost-Seq its sequence.
//   - In order: the events of a webhook are sent one at a time, by their sequence,
//     and the next one not before the one before it was accepted with a 2xx.
//   - At least once: an event that was not accepted is sent again, later and later
//     ([Schedule]). Whatever else comes than a whole answer of 2xx is a failure: no
//     answer, a slow one, one that breaks off, and a redirect, which is not followed.
//   - Across restarts: how far each webhook has come is in a file of its own that is
//     on disk before the next event is sent, so after a crash at most the one event
//     under way comes twice.
//   - No longer than it is of use: after five days of nothing but failures, and at
//     once when the receiver answers 410, the webhook is disabled by an event of the
//     log, which says why. Enabled again, it goes on where it stopped.
//
// What the ledger's owner may rely on:
//
//   - A webhook is sent what its view shows as of the event that is sent or later,
//     so what becomes restricted is not sent to one that is not cleared for it, not
//     even where it was waiting to be sent again.
//   - Connections are made only to public addresses and to networks that were
//     allowed by name. That is checked of the address that is connected to, after
//     its name was resolved, each time; certificates are always verified.
//   - Secrets are derived from one key, which is in a file of the data directory and
//     nowhere else. They are in no event, no log and no error.
//
// One process at a time delivers the webhooks of a ledger: with several on one
// log each would send everything, under a secret of its own.
package webhook
