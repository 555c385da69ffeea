// Package access says who asks and what they may do.
//
//   - A [Directory] holds the principals, restrictions, subscribers and webhooks
//     as the log has them, and follows it. Rights are those of the last event,
//     whatever point in the past is looked at. A directory that cannot follow the
//     log knows nobody ([ErrUnavailable]): a right that was revoked is never taken
//     for one that stands.
//   - A [Principal] is somebody whom the directory knows, by a token or by what an
//     OpenID provider calls them. Its [Principal.View] is what it may see, and
//     [Principal.May] what it may do.
//   - The table in table.go names the right that each route, command and kind of
//     subscription takes. What is not in it is nobody's.
//   - A [ReadLog] has a line for each read of something restricted.
//
// The local administrator is not in the log: whoever shows the token that the
// server's data directory has is it.
//
// Tokens are mp_<key>_<secret>: the key that the event token-issued names, and 256
// random bits of which the log has the SHA-256.
package access
