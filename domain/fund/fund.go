// Package fund holds the industrial funds of an agreement: first explored,
// then established, and what becomes of the money: pledged, committed,
// disbursed to a project or one of its milestones, spent (IATI's transaction
// types).
//
//   - Everything in a fund is in one currency, in exact decimals.
//   - What is disbursed from a commitment is never more than the commitment,
//     and what is spent of a disbursement never more than that.
//   - No funds are disbursed unless the agreement is in effect, nor to a project
//     that has ended or a milestone that was cancelled: what disburses also puts
//     events on both, so all are appended together or not at all.
package fund

import (
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
	Currency      domain.Currency `json:"currency"`    // of everything in it; none before the first pledge
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
	Party  domain.Key     `json:"party"`
	Pledge domain.Key     `json:"pledge"` // that it makes good; "" for none
	Amount domain.Decimal `json:"amount"` // what is left of it after reductions
	On     domain.Date    `json:"on"`
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

// Aggregate lists the commands and events of funds.
var Aggregate = domain.NewAggregate[State](Kind, "A fund of an agreement, and what is pledged to it, committed, disbursed and spent.",
	[]domain.CommandType{},
	[]domain.EventType{})
