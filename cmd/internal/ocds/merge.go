package ocds

import (
	"fmt"
	"reflect"
)

// object is a JSON object. What is in one is an object, an array ([]any), a
// string, a bool, a json.Number or nil.
type object = map[string]any

// versioned is one value that a field had, and the release that gave it.
type versioned struct {
	ReleaseID   string `json:"releaseID"`
	ReleaseDate string `json:"releaseDate"`
	ReleaseTag  any    `json:"releaseTag"`
	Value       any    `json:"value"`
}

// history is what a versioned release has in the place of a value: the values
// that the field had, the oldest first.
type history []versioned

// wholeLists are the arrays of objects that the schema of OCDS 1.1.5 says to
// merge as one value (wholeListMerge). Those whose objects have no id are
// merged so as well.
var wholeLists = map[string]bool{"additionalClassifications": true, "additionalIdentifiers": true}

// aboutRelease are the fields of a release that are about itself, which merging
// leaves out (omitWhenMerged).
var aboutRelease = map[string]bool{"id": true, "date": true, "tag": true}

// compiled merges releases of one process, the oldest first, into the compiled
// release: what each field says last.
// https://standard.open-contracting.org/1.1/en/schema/merging/
func compiled(releases []object) object {
	out := object{}
	for _, rel := range releases {
		mergeObject(out, content(rel))
	}
	if n := len(releases); n > 0 {
		date := releases[n-1]["date"]
		out["tag"], out["date"], out["id"] = []any{"compiled"}, date, fmt.Sprintf("%v-%v", out["ocid"], date)
	}
	return out
}

// content is a release without what is about itself.
func content(rel object) object {
	c := object{}
	for name, v := range rel {
		if !aboutRelease[name] {
			c[name] = v
		}
	}
	return c
}

// mergeObject lets out say what in says: a null takes a field away, an empty
// object or array says nothing.
func mergeObject(out, in object) {
	for name, v := range in {
		switch v := v.(type) {
		case nil:
			delete(out, name)
		case object:
			if len(v) > 0 {
				o := asObject(out[name])
				mergeObject(o, v)
				out[name] = o
			}
		case []any:
			if items, ok := identified(name, v); !ok {
				out[name] = v
			} else if len(items) > 0 {
				out[name] = mergeItems(out[name], items, mergeObject)
			}
		default:
			out[name] = v
		}
	}
}

// versions merges releases of one process, the oldest first, into the versioned
// release: in the place of each value the history of the values that the field
// had.
func versions(releases []object) object {
	out := object{}
	for _, rel := range releases {
		id, _ := rel["id"].(string)
		date, _ := rel["date"].(string)
		v := versioned{ReleaseID: id, ReleaseDate: date, ReleaseTag: rel["tag"]}
		in := content(rel)
		out["ocid"] = in["ocid"]
		delete(in, "ocid") // the one field beside the ids of items that keeps its value
		v.merge(out, in)
	}
	return out
}

// merge adds to the histories in out what in says otherwise.
func (r versioned) merge(out, in object) {
	for name, v := range in {
		if o, ok := v.(object); ok {
			if len(o) > 0 {
				into := asObject(out[name])
				r.merge(into, o)
				out[name] = into
			}
			continue
		}
		if list, ok := v.([]any); ok {
			if items, ok := identified(name, list); ok {
				if len(items) > 0 {
					out[name] = mergeItems(out[name], items, r.mergeItem)
				}
				continue
			}
		}
		past, _ := out[name].(history)
		if n := len(past); n == 0 || !reflect.DeepEqual(past[n-1].Value, v) {
			r.Value = v
			out[name] = append(past, r)
		}
	}
}

// mergeItem is merge for an object in an array, whose id is not versioned.
func (r versioned) mergeItem(out, in object) {
	id, rest := in["id"], object{}
	for name, v := range in {
		if name != "id" {
			rest[name] = v
		}
	}
	r.merge(out, rest)
	out["id"] = id
}

// identified returns the items of an array that is merged item by item, each
// known by its id.
func identified(name string, list []any) (items []object, ok bool) {
	for _, v := range list {
		o, isObject := v.(object)
		if !isObject || o["id"] == nil || wholeLists[name] {
			return nil, false
		}
		items = append(items, o)
	}
	return items, true
}

// mergeItems merges each item into that of the same id in the array was, or
// into a new one at its end.
func mergeItems(was any, items []object, merge func(out, in object)) []any {
	list, _ := was.([]any)
	known := byID(list)
	for _, in := range items {
		out := known[idOf(in)]
		if out == nil {
			out = object{}
			list = append(list, out)
			known[idOf(in)] = out
		}
		merge(out, in)
	}
	return list
}

// byID returns the objects of an array by their ids.
func byID(list []any) map[string]object {
	all := make(map[string]object, len(list))
	for _, v := range list {
		if o, ok := v.(object); ok {
			all[idOf(o)] = o
		}
	}
	return all
}

// idOf returns the id of an object. Ids may be strings or integers, and 1 is
// the same as "1".
func idOf(o object) string {
	if s, ok := o["id"].(string); ok {
		return s
	}
	return fmt.Sprint(o["id"])
}

func asObject(v any) object {
	if o, ok := v.(object); ok {
		return o
	}
	return object{}
}

// delta is the inverse of a merge: merged into before, it gives after. It is
// empty where both say the same.
func delta(before, after object) object {
	d := object{}
	for name, v := range after {
		switch v := v.(type) {
		case object:
			if within := delta(asObject(before[name]), v); len(within) > 0 {
				d[name] = within
			}
		case []any:
			items, ok := identified(name, v)
			if !ok {
				if !reflect.DeepEqual(before[name], v) {
					d[name] = v
				}
			} else if changed := deltaItems(before[name], items); len(changed) > 0 {
				d[name] = changed
			}
		default:
			if !reflect.DeepEqual(before[name], v) {
				d[name] = v
			}
		}
	}
	for name, v := range before {
		if _, still := after[name]; still {
			continue
		}
		if o, ok := v.(object); ok {
			d[name] = delta(o, object{}) // the schema knows no null in the place of an object
		} else {
			d[name] = nil
		}
	}
	return d
}

func deltaItems(before any, items []object) (changed []any) {
	list, _ := before.([]any)
	known := byID(list)
	for _, item := range items {
		was := known[idOf(item)]
		if within := delta(was, item); was == nil || len(within) > 0 {
			within["id"] = item["id"]
			changed = append(changed, within)
		}
	}
	return changed
}
