// Package access holds who may do what: principals, people or programs, with
// the roles that they were granted, the tokens by which they show who they are,
// and the identities by which an organisation vouches for them.
//
// Rights are those of the last event, whatever point in the past is looked at.
// No secret is ever in an event: of a token the log has the SHA-256, and the
// token itself is 256 random bits that only its holder knows.
package access

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "access"

// Roles, each with the rights of a viewer and some of its own.
const (
	Viewer         = "viewer"         // reads
	Contributor    = "contributor"    // reports progress and actuals
	Representative = "representative" // signs, claims and confirms for one party
	Coordinator    = "coordinator"    // drafts, schedules, records meetings
	Auditor        = "auditor"        // reads everything, and proofs; writes nothing
	Admin          = "admin"          // everything
)

// Administrator is the key of a server's local administrator, who is in no log:
// no principal is called so.
const Administrator = "administrator"

// State is what one principal may do.
type State struct {
	Principal  domain.Key            `json:"principal"`
	Name       string                `json:"name"` // for people to read
	Grants     domain.List[Grant]    `part:"grant"`
	Tokens     domain.List[Token]    `part:"token"`
	Identities domain.List[Identity] `part:"identity"`
}

// Grant is a role within a scope.
type Grant struct {
	Role      string     `json:"role"`
	Agreement domain.Key `json:"agreement"` // "" for the whole ledger
	Party     domain.Key `json:"party"`     // for which it acts; "" for none
	Cleared   []string   `json:"cleared"`   // paths of what is restricted and yet seen, "project/iot-base" or "area/iot"
	Revoked   bool       `json:"revoked"`
}

// Token is what a principal shows to be known.
type Token struct {
	Hash    domain.Hash `json:"hash"` // SHA-256 of its secret
	Label   string      `json:"label"`
	Expires domain.Date `json:"expires"` // the last day on which it is good, in the ledger's time zone
	Revoked bool        `json:"revoked"`
}

// Identity is what an OpenID provider calls the principal.
type Identity struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Unlinked bool   `json:"unlinked"`
}

// Ref names the principal as an aggregate.
func Ref(principal domain.Key) domain.Ref { return domain.Ref{Kind: Kind, Key: principal} }

// Aggregate lists the commands and events of access.
var Aggregate = domain.NewAggregate[State](Kind, "A principal: a person or a program, and what it may do.",
	[]domain.CommandType{
		domain.CommandOf[State, GrantAccess]("Grant a principal a role, in one agreement or the whole ledger."),
		domain.CommandOf[State, RevokeAccess]("Revoke one grant of a principal, or everything that it has: grants, tokens and identities."),
		domain.CommandOf[State, IssueToken]("Give a principal a token, of which only the SHA-256 is told."),
		domain.CommandOf[State, RevokeToken]("Revoke a token: it is not taken any more."),
		domain.CommandOf[State, LinkIdentity]("Let a principal sign in by an OpenID provider."),
		domain.CommandOf[State, UnlinkIdentity]("Let a principal no longer sign in by an OpenID provider."),
	},
	[]domain.EventType{
		domain.EventOf[State, Granted]("A principal was granted a role."),
		domain.EventOf[State, Revoked]("A grant of a principal, or everything that it had, was revoked."),
		domain.EventOf[State, TokenIssued]("A principal was given a token."),
		domain.EventOf[State, TokenRevoked]("A token was revoked."),
		domain.EventOf[State, IdentityLinked]("A principal can sign in by an OpenID provider."),
		domain.EventOf[State, IdentityUnlinked]("A principal can no longer sign in by an OpenID provider."),
	})

// clears reports whether path names something that can be restricted.
func clears(path string) bool {
	ref := domain.ParsePath("", path)
	return ref.Key.Valid() && slices.Contains([]string{"project", "area"}, ref.Kind)
}
