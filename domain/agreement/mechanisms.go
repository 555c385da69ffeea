package agreement

import "github.com/milepost-ledger/milepost/domain"

// Mechanism is a body of the parties that meets: for coordination, for
// consultation, or for the implementation of projects.
type Mechanism struct {
	Kind          string       `json:"kind"`
	Title         domain.Text  `json:"title"`
	Members       []domain.Key `json:"members"` // parties
	Cadence       string       `json:"cadence"`
	State         string       `json:"state"`
	EstablishedOn domain.Date  `json:"established_on"`
	DissolvedOn   domain.Date  `json:"dissolved_on"`
}

// States of a mechanism.
const (
	Established = "established"
	Dissolved   = "dissolved"
)
