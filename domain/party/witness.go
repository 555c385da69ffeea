package party

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// RegisterWitness is the command register-witness.
type RegisterWitness struct {
	Party domain.Key         `json:"party" required:"true" doc:"Key of the party."`
	Key   domain.VerifierKey `json:"key" required:"true" doc:"Verifier key by which its countersignatures are checked: the public half, never the private one."`
}

func (RegisterWitness) Name() string      { return "register-witness" }
func (c RegisterWitness) Ref() domain.Ref { return Ref(c.Party) }

// ActingParty is the party in whose name it is asked.
func (c RegisterWitness) ActingParty() domain.Key { return c.Party }

// Decide takes the key of a party that has none. One that it gave up before
// will not do: others may have found it by now.
func (c RegisterWitness) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := asked(s, c.Party, in); err != nil {
		return nil, err
	}
	if s.Witness != "" {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "key", "party %q countersigns with %s; replace that with rotate-witness", c.Party, s.Witness)
	}
	if err := c.Key.NotAmong(s.FormerWitnesses); err != nil {
		return nil, err
	}
	return []domain.Event{WitnessRegistered(c)}, nil
}

// asked refuses what a party that does not exist, or another one, asks for.
func asked(s *State, party domain.Key, in domain.Input) error {
	if s == nil {
		return domain.NotFound("party", Kind, party)
	}
	return in.ActsFor(party)
}

// WitnessRegistered: the party countersigns with Key.
type WitnessRegistered struct {
	Party domain.Key         `json:"party" doc:"Key of the party."`
	Key   domain.VerifierKey `json:"key" doc:"Verifier key of the checkpoints' countersignatures."`
}

func (WitnessRegistered) Type() string     { return "milepost.party.witness-registered.v1" }
func (e WitnessRegistered) Apply(s *State) { s.Party, s.Witness = e.Party, e.Key }

// RotateWitness is the command rotate-witness.
type RotateWitness struct {
	Party     domain.Key         `json:"party" required:"true" doc:"Key of the party."`
	Key       domain.VerifierKey `json:"key" required:"true" doc:"Verifier key that replaces the present one, under the same name."`
	Statement domain.SignedNote  `json:"statement" required:"true" doc:"Note signed by the present key, of three lines: milepost/key-rotation/v1, the present key, the new one."`
}

func (RotateWitness) Name() string      { return "rotate-witness" }
func (c RotateWitness) Ref() domain.Ref { return Ref(c.Party) }

// ActingParty is the party in whose name it is asked.
func (c RotateWitness) ActingParty() domain.Key { return c.Party }

// Decide replaces the party's key when that key itself says so.
func (c RotateWitness) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := askedWithWitness(s, c.Party, in); err != nil {
		return nil, err
	}
	if err := c.Key.NotAmong(s.FormerWitnesses); err != nil {
		return nil, err
	}
	if err := domain.VerifyRotation(s.Witness, c.Key, string(c.Statement)); err != nil {
		return nil, err
	}
	return []domain.Event{WitnessRotated{Party: c.Party, Old: s.Witness, Key: c.Key, Statement: c.Statement}}, nil
}

// askedWithWitness is asked, of a party that has a key.
func askedWithWitness(s *State, party domain.Key, in domain.Input) error {
	if err := asked(s, party, in); err != nil {
		return err
	}
	if s.Witness == "" {
		return domain.Refuse(domain.CodeWrongState, "party", "party %q has no key to countersign with; give it one with register-witness", party)
	}
	return nil
}

// WitnessRotated: the party countersigns with Key, no longer with Old, by the
// Statement that Old signed; see [domain.VerifyRotation].
type WitnessRotated struct {
	Party     domain.Key         `json:"party" doc:"Key of the party."`
	Old       domain.VerifierKey `json:"old" doc:"The verifier key that it replaces."`
	Key       domain.VerifierKey `json:"key" doc:"Verifier key of its countersignatures from now on."`
	Statement domain.SignedNote  `json:"statement" doc:"The statement of the rotation: a note of three lines signed with the old key."`
}

func (WitnessRotated) Type() string { return "milepost.party.witness-rotated.v1" }

func (e WitnessRotated) Apply(s *State) {
	s.Party, s.Witness = e.Party, e.Key
	s.giveUp(e.Old)
}

// RetireWitness is the command retire-witness.
type RetireWitness struct {
	Party domain.Key `json:"party" required:"true" doc:"Key of the party."`
}

func (RetireWitness) Name() string      { return "retire-witness" }
func (c RetireWitness) Ref() domain.Ref { return Ref(c.Party) }

// ActingParty is the party in whose name it is asked.
func (c RetireWitness) ActingParty() domain.Key { return c.Party }

// Decide takes the party's key away without a word of the key itself, which may
// be lost; so somebody has to say what became of it.
func (c RetireWitness) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := askedWithWitness(s, c.Party, in); err != nil {
		return nil, err
	}
	if in.Note == "" {
		return nil, domain.Refuse(domain.CodeNoteRequired, "note", "say in a note why the key is given up, that it was lost for instance; to replace a key that is at hand, use rotate-witness")
	}
	return []domain.Event{WitnessRetired{Party: c.Party, Key: s.Witness}}, nil
}

// WitnessRetired: the party does not countersign with Key any more.
type WitnessRetired struct {
	Party domain.Key         `json:"party" doc:"Key of the party."`
	Key   domain.VerifierKey `json:"key" doc:"Verifier key of the checkpoints' countersignatures."`
}

func (WitnessRetired) Type() string { return "milepost.party.witness-retired.v1" }

func (e WitnessRetired) Apply(s *State) {
	s.Party = e.Party
	if s.Witness == e.Key { // by effective date, another may have taken its place
		s.Witness = ""
	}
	s.giveUp(e.Key)
}

func (s *State) giveUp(key domain.VerifierKey) {
	s.FormerWitnesses = append(slices.Clip(s.FormerWitnesses), key)
}
