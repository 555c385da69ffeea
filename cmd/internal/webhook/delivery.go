package webhook

import (
	"time"

	"github.com/milepost-ledger/milepost/domain"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
)

// Delivery says how far the delivery of a webhook has come.
type Delivery struct {
	Webhook      domain.Key `json:"webhook" doc:"Key of the webhook."`
	State        string     `json:"state" enum:"enabled,disabled" doc:"Whether anything is sent."`
	Position     uint64     `json:"position" doc:"Sequence up to which everything was accepted, or is not for this webhook."`
	Lag          uint64     `json:"lag" doc:"How many sequences of the log lie after position."`
	LastAttempt  *time.Time `json:"last_attempt" doc:"When an event was last sent; null before the first."`
	LastSeq      uint64     `json:"last_seq" doc:"The sequence of that event."`
	LastStatus   int        `json:"last_status" doc:"The HTTP status that was answered; 0 where no answer came."`
	LastError    string     `json:"last_error" doc:"Why it was a failure; empty after a success."`
	FailingSince *time.Time `json:"failing_since" doc:"Since when each request was a failure; null while they are not."`
	Failures     int        `json:"failures" doc:"How many that are."`
	Next         *time.Time `json:"next_attempt" doc:"When it is sent again; null while none waits for that."`
}

// Delivery says how far the delivery of a webhook has come.
func (d *Deliverer) Delivery(webhook domain.Key) (Delivery, error) {
	hook, err := d.find(webhook)
	if err != nil {
		return Delivery{}, err
	}
	end := d.opts.History.Position().Seq // before the position, which may be ahead of it
	p, err := d.positionOf(webhook)
	if err != nil {
		return Delivery{}, err
	}
	s := Delivery{Webhook: hook.Webhook, State: hook.State.State, Position: p.After, Lag: max(end, p.After) - p.After}
	if a := p.Last; a != nil {
		s.LastAttempt, s.LastSeq, s.LastStatus, s.LastError = &a.At, a.Seq, a.Status, a.Error
	}
	if f := p.Failing; f != nil {
		s.FailingSince, s.Failures, s.Next = &f.Since, f.Failures, &f.Next
	}
	return s, nil
}

// Deliveries says it of every webhook that is not removed, as far as it can be told.
func (d *Deliverer) Deliveries() (all []Delivery) {
	for _, hook := range d.opts.Directory.Webhooks() {
		if hook.State.State == hooks.StatusRemoved {
			continue
		}
		if s, err := d.Delivery(hook.Webhook); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// positionOf is where a webhook is: as its runner has it, else its file.
func (d *Deliverer) positionOf(webhook domain.Key) (position, error) {
	if r := d.running(webhook); r != nil {
		if p := r.position(); p != nil {
			return *p, nil
		}
	}
	p, err := d.files.read(webhook)
	if err != nil || p == nil {
		return position{}, err
	}
	return *p, nil
}
