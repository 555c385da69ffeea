package ocds

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// entity is what the read models have said, change by change, of an aggregate
// or a part of one.
type entity struct {
	path    string
	fields  map[string]json.RawMessage // by the name of the change: "term.end" is within "term"
	reasons map[string]string          // of the last change of each field
	reason  string                     // of the event that spoke of it first
	first   domain.Date                // from when that event held
	changed domain.Date                // from when the last one did
	touched bool                       // since the last release
}

// into fills in the struct that the entity is in its aggregate's state.
func (e *entity) into(state any) error {
	whole := map[string]any{}
	for name, value := range e.fields {
		at := whole
		for {
			outer, inner, nested := strings.Cut(name, ".")
			if !nested {
				at[name] = value
				break
			}
			within, _ := at[outer].(map[string]any)
			if within == nil {
				within = map[string]any{}
				at[outer] = within
			}
			at, name = within, inner
		}
	}
	raw, err := json.Marshal(whole)
	if err == nil {
		err = json.Unmarshal(raw, state)
	}
	if err != nil {
		return fmt.Errorf("read %s from its changes: %w", e.path, err)
	}
	return nil
}

// of splits the path: kind and key of the aggregate, kind and key of the part.
func (e *entity) of() (kind string, key domain.Key, part string, partKey domain.Key) {
	names := strings.SplitN(e.path, "/", 4)
	names = append(names, "", "", "")
	return names[0], domain.Key(names[1]), names[2], domain.Key(names[3])
}

// fold holds an agreement as it was at one point of its history, and moves from
// change to change. It costs what the changes cost, however long the log is.
type fold struct {
	entities map[string]*entity
	groups   map[string][]*entity // by path without the last key, in the order in which they came
	touched  []*entity            // since the last release, in order
	seq      uint64               // of the last change
	at       time.Time            // ledger time of it
}

// state fills in what the entity at path is in its aggregate's state; it stays
// as it is where there is no such entity.
func (f *fold) state(path string, state any) error {
	e := f.entities[path]
	if e == nil {
		return nil
	}
	return e.into(state)
}

// apply takes over one change.
func (f *fold) apply(c *projections.Change) {
	e := f.entities[c.Entity]
	if e == nil {
		e = &entity{path: c.Entity, fields: map[string]json.RawMessage{}, reasons: map[string]string{}, reason: c.Reason, first: c.Effective}
		group := c.Entity[:strings.LastIndexByte(c.Entity, '/')]
		f.entities[c.Entity], f.groups[group] = e, append(f.groups[group], e)
	}
	delete(e.fields, c.Field)
	if c.Op != "remove" {
		e.fields[c.Field] = c.New
	}
	e.reasons[c.Field], e.changed = c.Reason, c.Effective
	if !e.touched {
		e.touched, f.touched = true, append(f.touched, e)
	}
	f.seq = c.Seq
	if c.RecordedAt.After(f.at) { // clocks step back, ledger time does not
		f.at = c.RecordedAt
	}
}

// settle returns what was touched since it was called before.
func (f *fold) settle() []*entity {
	touched := f.touched
	for _, e := range touched {
		e.touched = false
	}
	f.touched = nil
	return touched
}

// days calls each for the changes of an agreement up to a point, and done at the
// end of each ledger day on which there were any.
func days(ctx context.Context, models *projections.Models, agreement domain.Key, at projections.Point, zone *time.Location,
	f *fold, each func(*projections.Change) error, done func() error,
) error {
	page := projections.Page{Limit: projections.MaxLimit}
	day := domain.Date(0)
	for {
		answer, err := models.Changes(ctx, projections.ChangeQuery{To: at, Agreement: agreement, Page: page})
		if err != nil {
			return err
		}
		for i := range answer.Changes {
			c := &answer.Changes[i]
			if today := domain.DateOf(c.RecordedAt, zone); today > day {
				if day != 0 {
					if err := done(); err != nil {
						return err
					}
				}
				day = today
			}
			f.apply(c)
			if err := each(c); err != nil {
				return err
			}
		}
		if answer.Complete {
			break
		}
		page.Cursor = answer.Next
	}
	if day == 0 {
		return nil
	}
	return done()
}
