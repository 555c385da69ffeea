package projections

import (
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// entityRow is an aggregate, or a part of one, that events have spoken of:
// what every other table means by an entity. It is written once, when the
// first event speaks of it, and never again.
type entityRow struct {
	Agreement string    `json:"agreement" sql:"text"` // "" for the whole ledger's
	Path      string    `json:"path" sql:"text"`      // "project/iot-base/milestone/design"
	Kind      string    `json:"kind" sql:"text"`      // "milestone"
	Parent    entityRef `json:"parent"`               // its project; its agreement
	Aggregate entityRef `json:"aggregate"`            // whose events tell of it; none for an aggregate itself
	FirstSeq  uint64    `json:"first_seq"`
}

var entityTable = newTable[entityRow](orderEntity, "entity", "id")

func entityName(agreement, path string) string { return agreement + ":" + path }

// keyOf returns the last key in a path.
func keyOf(path string) domain.Key { return domain.Key(path[strings.LastIndexByte(path, '/')+1:]) }

// entityWriter gives ids to entities. The projector owns it.
type entityWriter struct {
	refs   map[domain.Ref]entityRef // aggregates
	parts  map[partOf]entityRef
	recent partOf    // the part last asked for: an event asks for one several times
	found  entityRef // which is this
	last   int64
	whole  bool // the maps hold every entity there is: the load of a new file
}

type partOf struct {
	aggregate int64
	part      string
}

// maxEntities bounds the cache of a projector that follows.
const maxEntities = 1 << 17

func newEntityWriter(whole bool) *entityWriter {
	return &entityWriter{refs: map[domain.Ref]entityRef{}, parts: map[partOf]entityRef{}, whole: whole}
}

// findAggregate returns the entity of an aggregate if there is one.
func (p *projector) findAggregate(ref domain.Ref) (entityRef, bool, error) {
	w := p.entities
	e, ok := w.refs[ref]
	if ok || w.whole {
		return e, ok, nil
	}
	e, ok, err := p.findEntity(string(ref.Agreement), ref.Path())
	if ok {
		w.refs[ref] = e
	}
	return e, ok, err
}

// aggregateEntity returns the entity of an aggregate, which is made when it is new.
func (p *projector) aggregateEntity(ref domain.Ref) (entityRef, error) {
	e, ok, err := p.findAggregate(ref)
	if ok || err != nil {
		return e, err
	}
	row := entityRow{Agreement: string(ref.Agreement), Path: ref.Path(), Kind: ref.Kind, FirstSeq: p.next()}
	if ref.Agreement != "" && ref.Kind != agreement.Kind {
		if row.Parent, err = p.aggregateEntity(agreement.Ref(ref.Agreement)); err != nil {
			return e, err
		}
	}
	if e, err = p.insertEntity(&row); err == nil {
		p.entities.refs[ref] = e
	}
	return e, err
}

// partEntity returns the entity of a part, "milestone/design", of an aggregate.
func (p *projector) partEntity(ref domain.Ref, of entityRef, part string) (e entityRef, err error) {
	if part == "" {
		return of, nil
	}
	kind, _, _ := strings.Cut(part, "/")
	return p.entityBelow(ref, of, of, kind, part)
}

// entityBelow returns the entity of that kind whose path goes on from that of
// an aggregate with part; where it is new, it is made below parent.
func (p *projector) entityBelow(ref domain.Ref, of, parent entityRef, kind, part string) (e entityRef, err error) {
	w := p.entities
	key := partOf{of.id, part}
	if key == w.recent {
		return w.found, nil
	}
	defer func() {
		if err == nil {
			w.recent, w.found = key, e
		}
	}()
	if e, ok := w.parts[key]; ok {
		return e, nil
	}
	row := entityRow{Agreement: string(ref.Agreement), Path: ref.Path() + "/" + part, Kind: kind, Parent: parent, Aggregate: of, FirstSeq: p.next()}
	e, found, err := p.findEntity(row.Agreement, row.Path)
	if err == nil && !found {
		p.newParts++
		e, err = p.insertEntity(&row)
	}
	if err == nil {
		w.parts[key] = e
	}
	return e, err
}

// bound empties caches that have grown too large; like that of words, not
// while rows wait to be written.
func (w *entityWriter) bound() {
	if len(w.refs)+len(w.parts) >= maxEntities && !w.whole {
		clear(w.refs)
		clear(w.parts)
	}
}

func (p *projector) findEntity(agreement, path string) (e entityRef, found bool, err error) {
	if p.entities.whole {
		return e, false, nil
	}
	e.name = entityName(agreement, path)
	if e.id, found, err = selectInt(p.conn, selectEntity, agreement, path); err != nil {
		err = fmt.Errorf("look up entity %s: %w", e.name, err)
	}
	return e, found, err
}

func (p *projector) insertEntity(row *entityRow) (entityRef, error) {
	w := p.entities
	if w.last == 0 && !w.whole {
		last, _, err := selectInt(p.conn, "SELECT coalesce(max(id), 0) FROM entity")
		if err != nil {
			return entityRef{}, fmt.Errorf("last entity: %w", err)
		}
		w.last = last
	}
	w.last++
	return entityRef{w.last, entityName(row.Agreement, row.Path)}, put(p, entityTable, "", row, w.last)
}

const selectEntity = "SELECT id FROM entity WHERE agreement = ? AND path = ?"
