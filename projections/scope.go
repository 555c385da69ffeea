package projections

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// scope is what of a ledger a view is of, by subject alone: what lies outside it
// need not be decoded.
type scope struct {
	prefix   string              // of the ledger's subjects
	within   map[domain.Key]bool // agreements; nil is all
	without  map[domain.Key]bool // agreements that are withheld wholly
	internal bool
}

func newScope(ledger string, v View) *scope {
	s := &scope{prefix: strings.TrimSuffix(eventstore.Subject(ledger, "", "", ""), "..") /* "milepost.<ledger>." */, internal: v.Internal, without: map[domain.Key]bool{}}
	if v.Agreements != nil {
		s.within = map[domain.Key]bool{}
		for _, a := range v.Agreements {
			s.within[a] = true
		}
	}
	for _, r := range v.Restricted {
		if r.Project == "" && r.Area == "" {
			s.without[r.Agreement] = true
		}
	}
	return s
}

// has reports whether an agreement is in the view.
func (s *scope) has(agreement domain.Key) bool {
	return (s.within == nil || s.within[agreement]) && !s.without[agreement]
}

// everybodys are the kinds of what belongs to the ledger and is in every view.
var everybodys = []string{party.Kind, keyring.Kind}

// covers reports whether an aggregate is in the view, as far as that does not
// depend on what is restricted. Whatever else belongs to the ledger is internal.
func (s *scope) covers(agreement domain.Key, kind string) bool {
	if agreement != "" {
		return s.has(agreement)
	}
	return s.internal || slices.Contains(everybodys, kind)
}

// skips reports whether the events of a subject are not in the view, and the
// agreement that it is of. One that is no subject of the ledger is not skipped,
// but stops the projector.
func (s *scope) skips(subject string) (of domain.Key, skipped bool) {
	rest, ok := strings.CutPrefix(subject, s.prefix)
	if !ok {
		return "", false
	}
	agreement, rest, ok := strings.Cut(rest, ".")
	kind, _, more := strings.Cut(rest, ".")
	if !ok || !more {
		return "", false
	}
	if agreement != eventstore.LedgerWide {
		of = domain.Key(agreement)
	}
	return of, !s.covers(of, kind)
}
