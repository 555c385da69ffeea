package ocds

import "strings"

// draft is a release that is being made.
type draft struct {
	*exporter
	id    string
	parts []spoken
	tags  map[string]bool
}

// spot is where something stands in a release: the item with the id in the
// array at place, or with no id the object there.
type spot struct {
	place string // names of fields from the release on
	id    string
}

// spoken is what a release says of a spot.
type spoken struct {
	spot
	object
}

// tags of a release that says something for the first time, and that says it
// otherwise.
type tags struct{ added, changed string }

var (
	ofContract       = tags{"contract", "contractUpdate"}
	ofContractPart   = tags{"contractUpdate", "contractUpdate"}
	ofAward          = tags{"award", "awardUpdate"}
	ofAmendment      = tags{"contractAmendment", "contractAmendment"}
	ofImplementation = tags{"implementation", "implementationUpdate"}
	ofTermination    = tags{"contract", "contractTermination"}
)

// say has the release say how something stands now, as far as no release has
// said it.
func (r *draft) say(place, id string, now object, t tags) {
	at := spot{place, id}
	was, known := r.said[at]
	d := delta(was, now)
	switch {
	case !known:
		r.tags[t.added] = true
	case len(d) == 0:
		return
	default:
		r.tags[t.changed] = true
	}
	r.said[at] = now
	r.parts = append(r.parts, spoken{at, d})
}

// tagOrder is the order in which a release names its tags.
var tagOrder = []string{
	"award", "awardUpdate", "contract", "contractUpdate", "contractAmendment", "implementation", "implementationUpdate", "contractTermination",
}

// tagged lists the tags: the first release of a contract neither updates nor
// amends it.
func (r *draft) tagged() (list []any) {
	if r.tags["contract"] {
		delete(r.tags, "contractUpdate")
		delete(r.tags, "contractAmendment")
	}
	for _, tag := range tagOrder {
		if r.tags[tag] {
			list = append(list, tag)
		}
	}
	return list
}

// finish puts what was said in its places.
func (r *draft) finish() object {
	contract := object{"id": r.contract, "awardID": r.contract}
	rel := object{
		"ocid": r.ocid, "id": r.id, "date": r.instant(r.at), "tag": r.tagged(), "initiationType": "tender", "language": r.Language,
		"contracts": []any{contract},
	}
	for _, p := range r.parts {
		at, names := rel, strings.Split(p.place, "/")
		if names[0] == inContracts {
			at, names = contract, names[1:]
		}
		list := ""
		if p.id != "" {
			list, names = names[len(names)-1], names[:len(names)-1]
		}
		for _, name := range names {
			within := asObject(at[name])
			at[name] = within
			at = within
		}
		if list == "" {
			for name, v := range p.object {
				at[name] = v
			}
			continue
		}
		items, _ := at[list].([]any)
		p.object["id"] = p.id
		at[list] = append(items, p.object)
	}
	return rel
}

// present leaves out members that say nothing.
func present(o object) object {
	for name, v := range o {
		switch v := v.(type) {
		case nil:
			delete(o, name)
		case string:
			if v == "" {
				delete(o, name)
			}
		case object:
			if len(v) == 0 {
				delete(o, name)
			}
		case []any:
			if len(v) == 0 {
				delete(o, name)
			}
		}
	}
	return o
}
