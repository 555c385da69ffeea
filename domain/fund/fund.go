// Package fund holds the industrial funds of an agreement: first explored,
// then established, and what becomes of the money: pledged, committed,
// disbursed to a project or one of its milestones, spent (IATI's transaction
// types).
//
//   - Everything in a fund is in one currency, in exact decimals: that of the
//     first amount in it or of its establishment, whichever comes first.
//   - What is disbursed from a commitment is never more than the commitment,
//     and what is spent of a disbursement never more than that.
//   - No funds are disbursed unless the agreement is in effect, nor to a project
//     that has ended or a milestone that was cancelled: what disburses also puts
//     events on both, so all are appended together or not at all.
//
// What was recorded wrongly is recorded again under its key, as a correction of
// the event; the same rules hold then.
package fund

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "fund"

// States of a fund.
const (
	Exploring   = "exploring"
	Established = "established"
	Closed      = "closed"
)

// State is what is known of one fund.
type State struct {
	ID
	Title         domain.Text     `json:"title"`
	State         string          `json:"state"`
	Currency      domain.Currency `json:"currency"`    // of everything in it; none before the first amount
	TargetSize    domain.Decimal  `json:"target_size"` // that it is to reach
	Manager       domain.Key      `json:"manager"`     // party
	EstablishedOn domain.Date     `json:"established_on"`
	ClosedOn      domain.Date     `json:"closed_on"`

	Pledges       domain.List[Pledge]       `part:"pledge"`
	Commitments   domain.List[Commitment]   `part:"commitment"`
	Disbursements domain.List[Disbursement] `part:"disbursement"`
	Expenditures  domain.List[Expenditure]  `part:"expenditure"`
}

// Pledge is what a party means to put in.
type Pledge struct {
	Party  domain.Key     `json:"party"`
	Amount domain.Decimal `json:"amount"`
	On     domain.Date    `json:"on"`
}

// Commitment is what a party is bound to put in.
type Commitment struct {
	Party   domain.Key     `json:"party"`
	Pledge  domain.Key     `json:"pledge"`  // that it makes good; "" for none
	Amount  domain.Decimal `json:"amount"`  // what is left of it after reductions
	Reduced domain.Decimal `json:"reduced"` // the sum of the reductions
	On      domain.Date    `json:"on"`
}

// Disbursement is what was paid out of a commitment to a project.
type Disbursement struct {
	Commitment domain.Key     `json:"commitment"`
	Project    domain.Key     `json:"project"`
	Milestone  domain.Key     `json:"milestone"` // "" for the project as a whole
	Amount     domain.Decimal `json:"amount"`
	On         domain.Date    `json:"on"`
}

// Expenditure is what was spent of a disbursement.
type Expenditure struct {
	Disbursement domain.Key     `json:"disbursement"`
	Title        domain.Text    `json:"title"` // on what
	Amount       domain.Decimal `json:"amount"`
	On           domain.Date    `json:"on"`
}

// ID names a fund in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Fund      domain.Key `json:"fund" required:"true" doc:"Key of the fund."`
}

// Ref names the fund as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement, id.Fund) }

// Ref names the fund key under an agreement.
func Ref(agreement, key domain.Key) domain.Ref {
	return domain.Ref{Agreement: agreement, Kind: Kind, Key: key}
}

// in refuses unless there is a fund and its state is one of wanted.
func (id ID) in(s *State, wanted ...string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, id.Fund)
	case slices.Contains(wanted, s.State):
		return nil
	case s.State == Exploring:
		return domain.WrongState(Kind, id.Fund, s.State, "establish it with establish-fund", wanted...)
	}
	return domain.WrongState(Kind, id.Fund, s.State, "", wanted...)
}

// mayRecord refuses a second record under a key unless it corrects the first.
func mayRecord(in domain.Input, kind string, key domain.Key, taken bool) error {
	if err := domain.RequireKey(kind, key); err != nil {
		return err
	}
	if taken && in.Corrects == "" {
		return domain.Refuse(domain.CodeAlreadyExists, kind, "%s %q is recorded; choose another key, or put it right by naming its event in corrects", kind, key)
	}
	return nil
}

// takes refuses what is no amount, or not in the fund's currency.
func (s *State) takes(m domain.Money) error {
	if err := domain.RequireAmount("value", m); err != nil {
		return err
	}
	if s.Currency == "" {
		return nil
	}
	return domain.RequireCurrency("value", m, s.Currency)
}

// notMoreThan refuses an amount beyond what there is to draw on.
func notMoreThan(left domain.Decimal, m domain.Money, of string, key domain.Key) error {
	if m.Amount.Cmp(left) <= 0 {
		return nil
	}
	return domain.Refuse(domain.CodeAmountExceeded, "value.amount", "%s is more than the %s left of %s %q; give at most that",
		m, domain.Money{Amount: left, Currency: m.Currency}, of, key)
}

// Aggregate lists the commands and events of funds.
var Aggregate = domain.NewAggregate[State](Kind, "A fund of an agreement, and what is pledged to it, committed, disbursed and spent.",
	[]domain.CommandType{
		domain.CommandOf[State, Propose]("Propose a fund: from then on it is explored, and can be pledged to."),
		domain.CommandOf[State, Establish]("Establish a fund with its currency and manager: from then on funds are committed to it."),
		domain.CommandOf[State, RecordPledge]("Record what a party means to put into a fund."),
		domain.CommandOf[State, Commit]("Commit a party to put funds in."),
		domain.CommandOf[State, ReduceCommitment]("Reduce a commitment, down to what is disbursed of it at most."),
		domain.CommandOf[State, Disburse]("Disburse committed funds to a project or one of its milestones; the agreement must be in effect."),
		domain.CommandOf[State, RecordExpenditure]("Record what was spent of a disbursement."),
		domain.CommandOf[State, Close]("Close a fund: nothing more is pledged, committed or disbursed."),
	},
	[]domain.EventType{
		domain.EventOf[State, Proposed]("A fund was proposed and is explored."),
		domain.EventOf[State, FundEstablished]("The fund was established."),
		domain.EventOf[State, PledgeRecorded]("A party pledged to put funds in."),
		domain.EventOf[State, FundsCommitted]("A party committed itself to put funds in."),
		domain.EventOf[State, CommitmentReduced]("A commitment was reduced."),
		domain.EventOf[State, FundsDisbursed]("Committed funds were disbursed to a project."),
		domain.EventOf[State, ExpenditureRecorded]("Disbursed funds were spent."),
		domain.EventOf[State, FundClosed]("The fund was closed."),
	})
