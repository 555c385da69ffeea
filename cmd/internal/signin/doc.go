// Package signin is how people show by a browser who they are: by a token, by a
// one-time link, or by their organisation's OpenID provider. Programs need
// nothing of it: they send a token with each request.
//
// What it guarantees:
//
//   - A session is an id of 256 random bits in a cookie that scripts cannot read
//     and other sites do not send along; the server keeps the hash only, and in
//     memory, so a restart ends all sessions.
//   - A session ends 12 hours after sign-in, 2 hours after its last request, and
//     when what it was begun by no longer holds: the token revoked or expired,
//     the identity unlinked, the principal without any grant. That is asked of
//     the directory at every request, and an answer that goes on, as a stream
//     of events does, ends with the session.
//   - A one-time link signs in once, within 15 minutes, and not before a button
//     is pressed: a program that looks at links ahead of people does not use it
//     up.
//   - Nobody is signed in by another site: every form carries what only a page
//     of this server could put into it, and the OpenID flow is bound to the
//     browser that began it (state, nonce, PKCE).
//   - Attempts are limited for each address and in all, and an answer to a wrong
//     one says nothing about what exists.
//   - Where somebody is sent after sign-in is a path of this server.
//   - The pages run no script and load nothing from elsewhere.
package signin
