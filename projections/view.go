package projections

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// View says what somebody may see of a ledger. Read models made for a view
// ([Options], [Views]) hold nothing of what it withholds: they are made from the
// log as if the withheld events had never been. Parties and the keyring are in
// every view. The zero View is of all agreements, and withholds only what is
// internal.
type View struct {
	// Agreements are those in the view, with all that is below them. nil is all
	// there are and will be; a list that is empty and not nil is none.
	Agreements []domain.Key
	// Restricted is withheld from it, with all that tells of it.
	Restricted []Restriction
	// Internal has it see who may do what: the aggregates access, restriction,
	// subscriber and webhook.
	Internal bool
}

// Restriction is what a view withholds within an agreement: a project, or an
// area with the areas below it and every project that is or was in one of them.
// One that names neither withholds the agreement.
type Restriction struct{ Agreement, Project, Area domain.Key }

// Whole reports whether nothing is withheld from the view.
func (v View) Whole() bool { return v.Agreements == nil && len(v.Restricted) == 0 && v.Internal }

// viewRules grows when what a view withholds changes, or what only the file of a
// view has, so that no file is taken for one that was made by other rules.
const viewRules = 1

// Name names the view: the same for equal views, however they are written, and
// safe as the name of a directory.
func (v View) Name() string {
	v = v.canonical()
	said, err := json.Marshal(struct {
		Rules int
		View
	}{viewRules, v})
	if err != nil {
		panic("projections: a view does not encode: " + err.Error()) // it is plain data
	}
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:16])
}

// canonical writes a view in the one way that equal views have in common.
func (v View) canonical() View {
	if v.Agreements != nil {
		v.Agreements = slices.Compact(slices.Sorted(slices.Values(v.Agreements)))
		if v.Agreements == nil {
			v.Agreements = []domain.Key{}
		}
	}
	var restricted []Restriction
	for _, r := range v.Restricted {
		switch {
		case v.Agreements != nil && !slices.Contains(v.Agreements, r.Agreement): // withheld anyway
		case r.Project != "" && r.Area != "":
			restricted = append(restricted, Restriction{r.Agreement, r.Project, ""}, Restriction{r.Agreement, "", r.Area})
		default:
			restricted = append(restricted, r)
		}
	}
	slices.SortFunc(restricted, func(a, b Restriction) int {
		return cmp.Or(cmp.Compare(a.Agreement, b.Agreement), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Area, b.Area))
	})
	v.Restricted = slices.Compact(restricted)
	return v
}
