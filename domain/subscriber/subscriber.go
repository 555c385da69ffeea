// Package subscriber holds the programs that read events straight from NATS,
// each by a durable consumer of its own. A subscriber has no right but to read
// that consumer. The log has the public half of its key; the private one is in
// the credentials file that was written when it was added, and nowhere else.
package subscriber

import (
	"regexp"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "subscriber"

// State is what is known of one subscriber.
type State struct {
	Subscriber domain.Key  `json:"subscriber"`
	Agreement  domain.Key  `json:"agreement"`  // whose events it reads; "" for all of the ledger
	From       uint64      `json:"from"`       // the first sequence that it was to read
	PublicKey  string      `json:"public_key"` // NATS user key
	Cleared    bool        `json:"cleared"`    // reads what is restricted, too
	RevokedOn  domain.Date `json:"revoked_on"`
}

// Ref names the subscriber.
func Ref(key domain.Key) domain.Ref { return domain.Ref{Kind: Kind, Key: key} }

// Aggregate lists the commands and events of subscribers.
var Aggregate = domain.NewAggregate[State](Kind, "A program that reads events from NATS.",
	[]domain.CommandType{
		domain.CommandOf[State, Add]("Add a program that reads the events of an agreement, or of the whole ledger, from NATS."),
		domain.CommandOf[State, Revoke]("Revoke a subscriber: its consumer is deleted and its key not taken any more."),
	},
	[]domain.EventType{
		domain.EventOf[State, Added]("A program was let read events from NATS."),
		domain.EventOf[State, Revoked]("A subscriber was revoked."),
	})

// Add is the command add-subscriber.
type Add struct {
	Subscriber domain.Key `json:"subscriber" required:"true" doc:"Key of the subscriber, which names its consumer."`
	Agreement  domain.Key `json:"agreement,omitzero" doc:"Key of the agreement whose events it reads; all of the ledger when absent."`
	From       uint64     `json:"from,omitzero" doc:"The first sequence that it reads; the first there is when absent."`
	PublicKey  string     `json:"public_key" required:"true" doc:"Public half of its NATS user key, U and 55 more letters and digits. The private half is told to nobody; milepost subscriber add makes both."`
	Cleared    bool       `json:"cleared,omitzero" doc:"Let it read what is restricted, too. One that is not cleared is cut off while anything that it would read is restricted."`
}

func (Add) Name() string      { return "add-subscriber" }
func (c Add) Ref() domain.Ref { return Ref(c.Subscriber) }

var userKey = regexp.MustCompile(`^U[A-Z2-7]{55}$`)

// Decide adds a subscriber. A key that was revoked is not used again: its
// consumer's position would be another program's.
func (c Add) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "subscriber", "subscriber %q is there, or was revoked; choose another name", c.Subscriber)
	}
	if !userKey.MatchString(c.PublicKey) {
		return nil, domain.Refuse(domain.CodeInvalidValue, "public_key", "want the public half of a NATS user key, U and 55 of A-Z and 2-7")
	}
	if c.Agreement != "" {
		if _, err := agreement.Load(in.World, "agreement", c.Agreement); err != nil {
			return nil, err
		}
	}
	if err := domain.BeginsWithin(in.World, "from", c.From); err != nil {
		return nil, err
	}
	return []domain.Event{Added{c.Subscriber, c.Agreement, max(c.From, 1), c.PublicKey, c.Cleared}}, nil
}

// Added: the program reads the events of Agreement, or all, from From on.
type Added struct {
	Subscriber domain.Key `json:"subscriber" doc:"Key of the subscriber."`
	Agreement  domain.Key `json:"agreement,omitzero" doc:"Key of the agreement whose events it reads; all of the ledger when absent."`
	From       uint64     `json:"from" doc:"The first sequence that it reads."`
	PublicKey  string     `json:"public_key" doc:"Public half of its NATS user key."`
	Cleared    bool       `json:"cleared,omitzero" doc:"Whether it reads what is restricted, too."`
}

func (Added) Type() string      { return "milepost.subscriber.added.v1" }
func (e Added) Ref() domain.Ref { return Ref(e.Subscriber) }

func (e Added) Apply(s *State) {
	s.Subscriber, s.Agreement, s.From, s.PublicKey, s.Cleared = e.Subscriber, e.Agreement, e.From, e.PublicKey, e.Cleared
}

// Revoke is the command revoke-subscriber.
type Revoke struct {
	Subscriber domain.Key `json:"subscriber" required:"true" doc:"Key of the subscriber."`
}

func (Revoke) Name() string      { return "revoke-subscriber" }
func (c Revoke) Ref() domain.Ref { return Ref(c.Subscriber) }

// Decide revokes a subscriber that was not revoked before.
func (c Revoke) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	switch {
	case s == nil:
		return nil, domain.NotFound("subscriber", Kind, c.Subscriber)
	case s.RevokedOn != 0:
		return nil, domain.Refuse(domain.CodeNothingChanged, "subscriber", "subscriber %q was revoked on %s", c.Subscriber, s.RevokedOn)
	}
	return []domain.Event{Revoked{c.Subscriber, in.EffectiveOn()}}, nil
}

// Revoked: the subscriber reads nothing any more.
type Revoked struct {
	Subscriber domain.Key  `json:"subscriber" doc:"Key of the subscriber."`
	On         domain.Date `json:"on" doc:"The date on which it was revoked."`
}

func (Revoked) Type() string      { return "milepost.subscriber.revoked.v1" }
func (e Revoked) Ref() domain.Ref { return Ref(e.Subscriber) }

func (e Revoked) Apply(s *State) { s.Subscriber, s.RevokedOn = e.Subscriber, e.On }
