package agreement

import "github.com/milepost-ledger/milepost/domain"

// Prior is cooperation between the parties from before the agreement, as
// remembered: its date may be imprecise.
type Prior struct {
	Title domain.Text `json:"title"`
	Date  domain.EDTF `json:"date"`
}

// RecordPrior is the command record-prior-cooperation.
type RecordPrior struct {
	ID
	Entry domain.Key  `json:"entry,omitzero" doc:"Key of the entry, chosen once; a UUID when absent."`
	Title domain.Text `json:"title" required:"true" doc:"What the parties did together, by language."`
	Date  domain.EDTF `json:"date" required:"true" doc:"When, as precisely as is known, in EDTF: 2017-02, 199X, 1995/2005."`
}

func (RecordPrior) Name() string { return "record-prior-cooperation" }

// WithKey fills in an absent key of the entry.
func (c RecordPrior) WithKey(key domain.Key) domain.Command {
	c.Entry = c.Entry.Or(key)
	return c
}

// Decide records an entry at any time. An entry is replaced only by a
// correction, which says which event it corrects.
func (c RecordPrior) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("entry", c.Entry); err != nil {
		return nil, err
	}
	if s.Prior.Has(c.Entry) && in.Corrects == "" {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "entry", "entry %q is recorded; to put it right, name the event in corrects", c.Entry)
	}
	return []domain.Event{PriorCooperationRecorded(c)}, nil
}

// PriorCooperationRecorded: what the parties did together before.
type PriorCooperationRecorded struct {
	ID
	Entry domain.Key  `json:"entry" doc:"Key of the entry."`
	Title domain.Text `json:"title" doc:"Title by language."`
	Date  domain.EDTF `json:"date" doc:"When it was, in EDTF: it may be imprecise."`
}

func (PriorCooperationRecorded) Type() string {
	return "milepost.agreement.prior-cooperation-recorded.v1"
}

func (e PriorCooperationRecorded) Apply(s *State) {
	s.ID = e.ID
	s.Prior = s.Prior.With(e.Entry, Prior{Title: e.Title, Date: e.Date})
}
