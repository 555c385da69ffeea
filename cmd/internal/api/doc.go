// Package api is the ledger over HTTP: commands in, answers out.
//
// What a client may rely on:
//
//   - POST /v1/commands/<name> takes exactly what the catalogue declares. 201
//     means that the command's events are in the log, synced to disk; 200 means
//     that they had been before, under the same idempotency key. Any other
//     status means that this request wrote nothing, but for one: the problem
//     outcome-unknown, after which the same command with the same key is safe
//     to send again.
//
//   - An answer to a question is never short of what was asked for. A read model
//     that has not reached the sequence asked for is waited for, for a moment,
//     and then the answer is 503 with the sequence it has reached.
//
//   - A query parameter that a path does not have, or that is given twice or
//     without a value, is refused: a misspelt filter never widens an answer.
//
//   - Every error is application/problem+json (RFC 9457) with a code that never
//     changes its meaning, and the field to blame where there is one; see
//     [Problem]. The statuses are in problem.go, in one table.
//
//   - Every route is in the OpenAPI 3.1 document at /openapi.json, which is made
//     from the same declarations as the routes; TestOpenAPI walks both.
//
//   - Nothing but /healthz, /readyz and the pages of sign-in answers a stranger: who
//     asks is known by a token in the header Authorization, or by a session that
//     package signin keeps, and to anybody else every address, also one that does
//     not exist, is 401. The table in package access has the right that each route
//     and command takes; TestTableIsWhole fails on one that is not in it.
//
//   - What the asker may not see is not there: it answers 404, and shows in no list,
//     count, sum, event, file or text of an error. Every question is answered from
//     read models that were made without it (projections.Views), by the rights of
//     now, whatever point is asked about; TestWhatIsRestrictedShowsNowhere asks all
//     routes. Sequences and sizes of trees count all events, and say nothing of them.
//
//   - What the asker sees and may not do answers 403.
//
//   - A change of rights counts from the very next request on.
//
//   - A read that could show something restricted has a line in the access log
//     before it is answered.
//
//   - A loopback listener refuses host names that are not loopback, so that a web
//     page cannot reach it by DNS rebinding; what a proxy says of a request is
//     believed only of the host that it was named for; and what a browser sends
//     from another site is refused unless it only reads. See [Front].
package api
