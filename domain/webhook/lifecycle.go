package webhook

import "github.com/milepost-ledger/milepost/domain"

// ID names a webhook in commands and events.
type ID struct {
	Webhook domain.Key `json:"webhook" required:"true" doc:"Key of the webhook."`
}

// Ref names the webhook as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Webhook) }

// Redeliver is the command redeliver-webhook.
type Redeliver struct {
	ID
	From uint64 `json:"from" required:"true" min:"1" doc:"The first sequence that is sent again."`
}

func (Redeliver) Name() string { return "redeliver-webhook" }

// Decide has an enabled webhook send again.
func (c Redeliver) Decide(s *State, input domain.Input) ([]domain.Event, error) {
	if err := in(s, c.Webhook, StatusEnabled); err != nil {
		return nil, err
	}
	if err := domain.BeginsWithin(input.World, "from", c.From); err != nil {
		return nil, err
	}
	return []domain.Event{Restarted(c)}, nil
}

// Restarted: events are sent from the sequence From on.
type Restarted struct {
	ID
	From uint64 `json:"from" doc:"The first sequence that is sent again."`
}

func (Restarted) Type() string { return "milepost.webhook.restarted.v1" }

func (e Restarted) Apply(s *State) {
	s.Webhook, s.From = e.Webhook, e.From
	s.Restarts++
}

// Disable is the command disable-webhook.
type Disable struct{ ID }

func (Disable) Name() string { return "disable-webhook" }

// Decide disables an enabled webhook, for a reason that its owner can read.
func (c Disable) Decide(s *State, input domain.Input) ([]domain.Event, error) {
	if err := in(s, c.Webhook, StatusEnabled); err != nil {
		return nil, err
	}
	if err := input.RequireReason("disabling a webhook"); err != nil {
		return nil, err
	}
	return []domain.Event{Disabled(c)}, nil
}

// Disabled: nothing is sent until the webhook is enabled again.
type Disabled struct{ ID }

func (Disabled) Type() string     { return "milepost.webhook.disabled.v1" }
func (e Disabled) Apply(s *State) { s.become(e.Webhook, StatusDisabled) }

// Enable is the command enable-webhook.
type Enable struct{ ID }

func (Enable) Name() string { return "enable-webhook" }

// Decide enables a disabled webhook.
func (c Enable) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if err := in(s, c.Webhook, StatusDisabled); err != nil {
		return nil, err
	}
	return []domain.Event{Enabled(c)}, nil
}

// Enabled: events are sent again, from where it stopped.
type Enabled struct{ ID }

func (Enabled) Type() string     { return "milepost.webhook.enabled.v1" }
func (e Enabled) Apply(s *State) { s.become(e.Webhook, StatusEnabled) }

// RotateSecret is the command rotate-webhook-secret.
type RotateSecret struct{ ID }

func (RotateSecret) Name() string { return "rotate-webhook-secret" }

// Decide gives a webhook that was not removed another secret.
func (c RotateSecret) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if err := in(s, c.Webhook, StatusEnabled, StatusDisabled); err != nil {
		return nil, err
	}
	return []domain.Event{SecretRotated(c)}, nil
}

// SecretRotated: from now on what is sent is signed with the next secret.
type SecretRotated struct{ ID }

func (SecretRotated) Type() string { return "milepost.webhook.secret-rotated.v1" }

func (e SecretRotated) Apply(s *State) {
	s.Webhook = e.Webhook
	s.Generation++
}

// Remove is the command remove-webhook.
type Remove struct{ ID }

func (Remove) Name() string { return "remove-webhook" }

// Decide removes a webhook that was not removed before.
func (c Remove) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if err := in(s, c.Webhook, StatusEnabled, StatusDisabled); err != nil {
		return nil, err
	}
	return []domain.Event{Removed(c)}, nil
}

// Removed: nothing is sent any more.
type Removed struct{ ID }

func (Removed) Type() string     { return "milepost.webhook.removed.v1" }
func (e Removed) Apply(s *State) { s.become(e.Webhook, StatusRemoved) }
