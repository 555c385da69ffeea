// Package webhook holds the addresses to which events are sent as they come.
// What is sent is signed after Standard Webhooks with a secret that is derived
// outside the log from a key of the server's and from the webhook's generation.
package webhook

import (
	"net/url"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "webhook"

// States of a webhook.
const (
	StatusEnabled  = "enabled"
	StatusDisabled = "disabled" // it can be enabled again, and goes on where it stopped
	StatusRemoved  = "removed"  // for good
)

// State is what is known of one webhook.
type State struct {
	Webhook    domain.Key `json:"webhook"`
	URL        string     `json:"url"`
	Agreement  domain.Key `json:"agreement"` // whose events it is sent; "" for all of the ledger
	Kinds      []string   `json:"kinds"`     // of aggregates; all when empty
	Types      []string   `json:"types"`     // of events; all when empty
	Cleared    bool       `json:"cleared"`   // is sent what is restricted, too
	State      string     `json:"state"`
	From       uint64     `json:"from"`       // the sequence from which it was last told to send
	Restarts   uint64     `json:"restarts"`   // how often it was told so
	Generation uint64     `json:"generation"` // of its secret, from 1
}

// Ref names the webhook.
func Ref(key domain.Key) domain.Ref { return domain.Ref{Kind: Kind, Key: key} }

// Aggregate lists the commands and events of webhooks.
var Aggregate = domain.NewAggregate[State](Kind, "An address to which events are sent as they come.",
	[]domain.CommandType{
		domain.CommandOf[State, Register]("Register an address to which events are sent, signed, in order, each at least once."),
		domain.CommandOf[State, Redeliver]("Send a webhook its events again, from a sequence on."),
		domain.CommandOf[State, Disable]("Disable a webhook: nothing is sent until it is enabled again."),
		domain.CommandOf[State, Enable]("Enable a webhook: it goes on where it stopped."),
		domain.CommandOf[State, RotateSecret]("Give a webhook another secret; the former one signs no more."),
		domain.CommandOf[State, Remove]("Remove a webhook for good."),
	},
	[]domain.EventType{
		domain.EventOf[State, Registered]("An address was registered to which events are sent."),
		domain.EventOf[State, Restarted]("A webhook was told to send its events again from a sequence on."),
		domain.EventOf[State, Disabled]("A webhook was disabled; the reason says why."),
		domain.EventOf[State, Enabled]("A webhook was enabled again."),
		domain.EventOf[State, SecretRotated]("A webhook was given another secret."),
		domain.EventOf[State, Removed]("A webhook was removed."),
	})

// CodeInvalidURL refuses an address to which nothing can be sent.
const CodeInvalidURL = "invalid-url"

// Register is the command register-webhook.
type Register struct {
	Webhook   domain.Key `json:"webhook,omitzero" doc:"Key of the webhook, chosen once; a UUID when absent."`
	URL       string     `json:"url" required:"true" doc:"Address to which events are sent, with https; private and local addresses are refused when it comes to sending." max:"2000"`
	Agreement domain.Key `json:"agreement,omitzero" doc:"Key of the agreement whose events are sent; all of the ledger when absent."`
	Kinds     []string   `json:"kinds,omitzero" max:"20" doc:"Kinds of aggregates whose events are sent, such as project; all when absent."`
	Types     []string   `json:"types,omitzero" max:"100" doc:"Types of events that are sent, such as milepost.project.milestone-reforecast.v1; all when absent."`
	From      uint64     `json:"from,omitzero" doc:"The first sequence that is sent; the event after this registration when absent."`
	Cleared   bool       `json:"cleared,omitzero" doc:"Send what is restricted, too."`
}

func (Register) Name() string      { return "register-webhook" }
func (c Register) Ref() domain.Ref { return Ref(c.Webhook) }

// WithKey fills in an absent key of the webhook.
func (c Register) WithKey(key domain.Key) domain.Command {
	c.Webhook = c.Webhook.Or(key)
	return c
}

// Decide registers an address. Where it leads is looked at each time something
// is sent, since a name can lead elsewhere tomorrow.
func (c Register) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("webhook", c.Webhook); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "webhook", "webhook %q is there, or was removed; choose another key", c.Webhook)
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, domain.Refuse(CodeInvalidURL, "url", "that is no address to which events can be sent; want one such as https://example.org/hook")
	case u.User != nil:
		return nil, domain.Refuse(CodeInvalidURL, "url", "an address with a password would stand in the log for ever; leave it out, what is sent is signed")
	}
	if c.Agreement != "" {
		if _, err := agreement.Load(in.World, "agreement", c.Agreement); err != nil {
			return nil, err
		}
	}
	if err := domain.BeginsWithin(in.World, "from", c.From); err != nil {
		return nil, err
	}
	return []domain.Event{Registered(c)}, nil
}

// Registered: events are sent to URL, from the sequence From on or, where that is
// 0, from the event after this one.
type Registered struct {
	Webhook   domain.Key `json:"webhook" doc:"Key of the webhook."`
	URL       string     `json:"url" doc:"Address to which events are sent."`
	Agreement domain.Key `json:"agreement,omitzero" doc:"Key of the agreement whose events are sent; all of the ledger when absent."`
	Kinds     []string   `json:"kinds,omitzero" doc:"Kinds of aggregates whose events are sent; all when absent."`
	Types     []string   `json:"types,omitzero" doc:"Types of events that are sent; all when absent."`
	From      uint64     `json:"from,omitzero" doc:"The first sequence that is sent; the event after the registration when absent."`
	Cleared   bool       `json:"cleared,omitzero" doc:"Whether what is restricted is sent, too."`
}

func (Registered) Type() string      { return "milepost.webhook.registered.v1" }
func (e Registered) Ref() domain.Ref { return Ref(e.Webhook) }

func (e Registered) Apply(s *State) {
	s.Webhook, s.URL, s.Agreement, s.Kinds, s.Types, s.From, s.Cleared = e.Webhook, e.URL, e.Agreement, e.Kinds, e.Types, e.From, e.Cleared
	s.Generation++
	s.become(e.Webhook, StatusEnabled)
}

// become makes it another state, unless the webhook was removed: whatever the
// order of its events, to what was removed nothing is sent.
func (s *State) become(key domain.Key, state string) {
	if s.Webhook = key; s.State != StatusRemoved {
		s.State = state
	}
}

// in refuses unless there is a webhook and its state is one of wanted.
func in(s *State, key domain.Key, wanted ...string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, key)
	case !slices.Contains(wanted, s.State):
		return domain.WrongState(Kind, key, s.State, "", wanted...)
	}
	return nil
}
