package agreement

import "github.com/milepost-ledger/milepost/domain"

// Codes of the refusals of a signature.
const (
	CodeHashMismatch  = "hash-mismatch"  // the document signed is not the one agreed
	CodeAlreadySigned = "already-signed" // the party has signed this document
)

// Signature is a party's signature. One that was voided says nothing.
type Signature struct {
	Signatory string      `json:"signatory"`
	Date      domain.Date `json:"date"`
	Document  domain.Hash `json:"document"`
}

// Sign is the command sign-agreement.
type Sign struct {
	ID
	Party     domain.Key  `json:"party" required:"true" doc:"The party that signs."`
	Signatory string      `json:"signatory" required:"true" max:"200" doc:"The person who signs for it."`
	Date      domain.Date `json:"date" required:"true" doc:"Date of the signature."`
	Document  domain.Hash `json:"document" required:"true" doc:"SHA-256 of the text that is signed."`
}

func (Sign) Name() string { return "sign-agreement" }

// ActingParty is the party in whose name it is asked.
func (c Sign) ActingParty() domain.Key { return c.Party }

// Decide takes each required party's signature of the agreed document once.
// The last one puts the agreement into effect, in the same decision: there is
// no moment at which all have signed and it is not in effect.
func (c Sign) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusUnderConsultation); err != nil {
		if s != nil && c.Document == s.Document && s.signed(c.Party) {
			return nil, c.twice(s)
		}
		return nil, err
	}
	if !s.HasParty(c.Party) {
		return nil, domain.Refuse(domain.CodeWrongParty, "party", "%q is no party of agreement %q; those who sign are %s", c.Party, c.Agreement, domain.Join(s.Parties, ", "))
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	if c.Document != s.Document {
		return nil, domain.Refuse(CodeHashMismatch, "document", "the text to be signed is %s; sign that, or change it with revise-draft", s.Document)
	}
	if s.signed(c.Party) {
		return nil, c.twice(s)
	}
	if err := in.NotFuture("date", c.Date); err != nil {
		return nil, err
	}
	events := []domain.Event{Signed(c)}
	last := c.Date
	for _, p := range s.Parties {
		if p == c.Party {
			continue
		}
		if !s.signed(p) {
			return events, nil
		}
		signature, _ := s.Signatures.Get(p)
		last = max(last, signature.Date)
	}
	return append(events, TookEffect{ID: c.ID, On: last}), nil
}

func (c Sign) twice(s *State) error {
	was, _ := s.Signatures.Get(c.Party)
	return was.Twice(c.Party)
}

// Twice refuses another signature of the party whose signature this is.
func (s Signature) Twice(party domain.Key) error {
	return domain.Refuse(CodeAlreadySigned, "party", "%s signed for %q on %s already; nothing remains to be done", s.Signatory, party, s.Date)
}

// signed reports whether the party has signed and its signature is not void.
func (s *State) signed(party domain.Key) bool {
	signature, _ := s.Signatures.Get(party)
	return signature.Date != 0
}

// Signed: a party signed the document.
type Signed struct {
	ID
	Party     domain.Key  `json:"party" doc:"The party that signed."`
	Signatory string      `json:"signatory" doc:"Who signed for the party."`
	Date      domain.Date `json:"date" doc:"The date of the signature."`
	Document  domain.Hash `json:"document" doc:"SHA-256 of the text that is signed."`
}

func (Signed) Type() string { return "milepost.agreement.signed.v1" }

func (e Signed) Apply(s *State) {
	s.ID = e.ID
	s.Signatures = s.Signatures.With(e.Party, Signature{Signatory: e.Signatory, Date: e.Date, Document: e.Document})
}

// TookEffect: every required party has signed, the last of them on On.
type TookEffect struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (TookEffect) Type() string { return "milepost.agreement.took-effect.v1" }

func (e TookEffect) Apply(s *State) { s.ID, s.State, s.EffectiveOn = e.ID, StatusActive, e.On }
