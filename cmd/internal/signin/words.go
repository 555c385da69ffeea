package signin

import "github.com/milepost-ledger/milepost/cmd/internal/words"

// titles are what the pages are called.
var titles = map[string]string{
	"sign-in": words.Later("Sign in"), "link": words.Later("Sign in"), "home": words.Later("Signed in"), "refused": words.Later("Not signed in"),
}

// refusals say why nobody was signed in, by the code: to people in their language,
// and to programs as it stands here.
var refusals = map[string]string{
	CodeTooManyAttempts: words.Later("There were too many attempts to sign in. Wait a moment and try again."),
	CodeWrongToken:      words.Later("This token is not accepted. It may be mistyped, revoked or expired, or its owner has no grant any more. Ask the administrator for another one."),
	CodeLinkUsed:        words.Later("This link is not accepted: it works once, within 15 minutes. Get another one with milepost token link on the machine of the server, or ask the administrator."),
	CodeInvalidForm:     words.Later("The form could not be read. Go back and send it again."),
	CodeForeignForm:     words.Later("The form did not come from a page of this server, or the browser keeps no cookies. Allow cookies for this site, and sign in by its own page."),
	CodeNoProvider:      words.Later("This server is not connected to an organisation. Sign in with a token."),
	CodeProviderFailed:  words.Later("The organisation's sign-in does not answer as it should. Try again in a moment; the server's log says more."),
	CodeProviderRefused: words.Later("The organisation's sign-in ended without a permission."),
	CodeFlowUnknown:     words.Later("This sign-in was not begun in this browser, is over already, or took too long. Begin again."),
	CodeIdentityUnknown: words.Later("Your organisation knows you, but this ledger does not yet. Send the administrator the two lines below, and ask to link them to you with the command link-identity."),
	CodeNotVerified:     words.Later("Your organisation has not verified your e-mail address, so it is not gone by. Have it verified there, then sign in again."),
	CodeClaimMissing:    words.Later("Your organisation does not tell this server what it goes by. Send the administrator the two lines below."),
	CodeUnauthenticated: words.Later("Nobody is signed in: send a token in the header Authorization, or sign in at /sign-in."),
	CodeUnavailable:     words.Later("The ledger does not answer at present, so nobody can be let in. Try again in a moment."),
	"internal":          words.Later("The server failed. Its log says why."),
}
