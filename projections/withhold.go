package projections

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
)

// The projector of a view goes past the events that the view withholds, in the
// order of the log:
//
//   - those of an agreement out of its scope, and of a kind that is not for it;
//   - those of an aggregate that is withheld;
//   - those whose data name something withheld, see mentionsIn.
//
// An event that names something withheld has more withheld than itself: the
// aggregate that it begins, the part that it makes; of a project that comes into
// a restricted area, an indicator of one and an amendment about one everything;
// an area below a restricted one; a decision that affects one. So what is
// withheld grows event by event, and what an event shows depends only on what
// came before it.
//
// What is withheld is told by members of data and by paths in any text. It is not
// told by a title or a reason: whoever writes of a secret in the text of something
// else has told it.
//
// Where something becomes withheld that has been shown already, the file is no
// longer true. It is made anew, with that known beforehand. What is then known is
// the same whether it came out at once or one by one: more that is known has more
// withheld, never less.

// viewer decides for a projector what its view withholds.
type viewer struct {
	scope    *scope
	withheld *withheld
	loading  bool
	shown    []withheldEntity     // what became withheld and had been shown
	foreign  map[domain.Key]bool  // agreements out of scope that were met
	begun    map[int64]bool       // aggregates with an event in the view, since the projector began
	evidence map[domain.Hash]bool // that was lately written
}

// newViewer goes on from what the file of a view says; before are entities that
// a new file withholds from the beginning.
func newViewer(opts Options, known *withheld, loading bool) *viewer {
	return &viewer{
		scope: newScope(opts.Ledger, *opts.View), withheld: known, loading: loading,
		foreign: map[domain.Key]bool{}, evidence: map[domain.Hash]bool{}, begun: map[int64]bool{},
	}
}

// partKinds lists the kinds of the parts that aggregates of a kind have.
var partKinds = sync.OnceValue(func() map[string][]string {
	kinds := map[string][]string{}
	for i := range catalogue.Aggregates {
		a := &catalogue.Aggregates[i]
		state := reflect.TypeOf(a.Evolve(nil, nil)).Elem()
		for _, f := range reflect.VisibleFields(state) {
			if kind := f.Tag.Get("part"); kind != "" {
				kinds[a.Kind] = append(kinds[a.Kind], kind)
			}
		}
	}
	return kinds
})

// beginView writes what a new file withholds from its beginning.
func (p *projector) beginView(opts Options) {
	for _, e := range slices.Concat(opts.View.restrictedEntities(), opts.beforehand) {
		p.noteWithheld(e)
	}
}

// noteWithheld has an entity withheld from here on.
func (p *projector) noteWithheld(e withheldEntity) {
	id := e.id()
	if p.view.withheld.add(id, e.key()) {
		p.out.add(withheldRows, insertWithheld, []cell{{kind: columnBlob, s: string(id[:])}}, e.key())
	}
	p.noteWords(keyID(string(keyOf(e.path))), 0)
}

func (p *projector) noteWords(id withheldID, n int) {
	if p.view.withheld.addWords(id, n) {
		p.out.add(withheldWordRows, insertWithheldWord, []cell{{kind: columnBlob, s: string(id[:])}}, int64(n))
	}
}

// pass goes past an event.
func (p *projector) pass(d *decoded) {
	p.at.seq = d.rec.Seq
	if d.skipped && d.of != "" && !p.view.foreign[d.of] {
		p.view.foreign[d.of] = true
		// It is no entity of the view's, which no event can mention, but a command can.
		p.noteWithheld(withheldEntity{"", foreignPath(d.of)})
	}
}

func foreignPath(of domain.Key) string { return "foreign/" + string(of) }

// skips is the scope out of which nothing is decoded; nil where there is none.
func (v *viewer) skips() *scope {
	if v == nil {
		return nil
	}
	return v.scope
}

// reached notes the last of the events of a batch that were gone past or projected.
func (v *viewer) reached(p *projector, batch []decoded) {
	if len(batch) > 0 {
		p.at.event = recordID(batch[len(batch)-1].rec.Data)
	}
	if len(v.begun) >= maxEntities && !v.loading {
		clear(v.begun)
	}
}

// recordID names a record to a view, which does not decode every one.
func recordID(data []byte) string { return tlog.RecordHash(data).String() }

// withholds decides whether the view withholds an event, and notes what that has
// withheld with it.
func (p *projector) withholds(d *decoded) (bool, error) {
	v, env := p.view, &d.env
	if d.rec.Subject != subjectOf(p.ledger, env.Ref) {
		return false, stopError{&SubjectError{Seq: d.rec.Seq, Ref: env.Ref, Subject: d.rec.Subject}}
	}
	if !v.scope.covers(env.Ref.Agreement, env.Ref.Kind) { // its subject said so before
		return true, nil
	}
	if v.withheld.none() {
		return false, nil
	}
	gone := v.withheld.has(env.Ref.Agreement, env.Ref.Path())
	if !gone && !v.withheld.mayName(env.Data) {
		return false, nil
	}
	said, ok := readSaid(env.Data)
	if !ok {
		return false, stopError{&EventError{Seq: d.rec.Seq, Err: errors.New("its data are not JSON")}}
	}
	if gone {
		p.noteNames(env.Ref, said, true)
		return true, nil
	}
	mentions := v.withheld.mentionsIn(env.Ref, said.pairs)
	if len(mentions) == 0 {
		return false, nil
	}
	entities, whole, err := p.withheldWith(env.Ref, said.pairs, mentions)
	if err != nil {
		return false, err
	}
	var shown []withheldEntity
	for _, e := range entities {
		seen, err := p.hasShown(e)
		if err != nil {
			return false, err
		}
		if seen {
			shown = append(shown, e)
		}
	}
	if len(shown) > 0 && !v.loading {
		return false, &shownError{shown}
	}
	v.shown = append(v.shown, shown...)
	for _, e := range entities {
		p.noteWithheld(e)
	}
	p.noteNames(env.Ref, said, whole)
	return true, nil
}

// withheldWith finds what is withheld with an event of ref that mentions what is,
// and whether that is ref itself.
func (p *projector) withheldWith(ref domain.Ref, pairs []pair, mentions []mention) (entities []withheldEntity, whole bool, err error) {
	own := withheldEntity{ref.Agreement, ref.Path()}
	seen, err := p.hasShown(own)
	if err != nil {
		return nil, false, err
	}
	inArea := func(m mention) bool { return m.kind == "area" }
	switch ref.Kind {
	case project.Kind:
		whole = slices.ContainsFunc(mentions, inArea)
	case indicator.Kind, amendment.Kind:
		whole = true
	}
	if whole || !seen {
		return []withheldEntity{own}, true, nil
	}
	for _, pr := range pairs {
		if pr.group != ownGroup || !domain.Key(pr.key).Valid() {
			continue
		}
		path := pr.kind + "/" + pr.key
		switch {
		case pr.kind == "decision" && (ref.Kind == meeting.Kind || ref.Kind == agreement.Kind):
			// It affects what is withheld. It has one name in its agreement, and
			// others cite it by that.
			entities = append(entities, withheldEntity{ref.Agreement, path})
			for _, m := range pairs {
				if m.kind == meeting.Kind && m.group == ownGroup {
					entities = append(entities, withheldEntity{ref.Agreement, meeting.Kind + "/" + m.key + "/" + path})
				}
			}
		case pr.kind == "area" && ref.Kind == agreement.Kind:
			if strings.EqualFold(pr.member, "parent") {
				continue // above what is mentioned
			}
			entities = append(entities, withheldEntity{ref.Agreement, agreementPart(ref.Agreement, path)})
		case slices.Contains(partKinds()[ref.Kind], pr.kind):
			part := withheldEntity{ref.Agreement, ref.Path() + "/" + path}
			if seen, err := p.hasShown(part); err != nil {
				return nil, false, err
			} else if !seen {
				entities = append(entities, part)
			}
		}
	}
	return entities, false, nil
}
