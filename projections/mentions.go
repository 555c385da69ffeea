package projections

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// pair is something that data name by its kind and key: a member {"project":
// "town"}, one of {"areas": ["iot"]}, or a step of a path "project/town/..." in
// any text.
type pair struct {
	member string // in which it stands, as it is written
	kind   string // which the member says, or the path
	key    string
	path   string // the text that it is a step of, "" where it is the text
	group  int    // pairs that stand beside each other
}

// aliases are the members whose names are not the kind of what they name.
var aliases = map[string]string{"depends_on": "milestone", "despite": "milestone", "on": "milestone", "entry": "prior"}

// kindNamed is the kind that a member names: {"area"} and {"areas"} name areas.
func kindNamed(member string) string {
	member = strings.ToLower(member) // as JSON is read, "Project" is "project"
	if kind, ok := aliases[member]; ok {
		return kind
	}
	if stem, ok := strings.CutSuffix(member, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(member, "s")
}

// said is what data say: all that they name, however deep, and their titles.
type said struct {
	pairs  []pair
	titles []string
	places []string // of groups: "", "changes[2]"
}

// ownGroup is the group of the members of the data themselves.
const ownGroup = 1

// readSaid reads JSON. It returns false for what is none.
func readSaid(data []byte) (said, bool) {
	r := saidReader{dec: json.NewDecoder(bytes.NewReader(data))}
	r.places = []string{""} // group 0 is none
	if !r.value("", "", 0, false) {
		return said{}, false
	}
	// A parent is an area's where the object is about an area: {"area": "sensors",
	// "parent": "iot"}; that of an agreement or a party is none.
	for i := range r.pairs {
		if p := &r.pairs[i]; p.kind == "parent" {
			for _, other := range r.pairs {
				if other.group == p.group && other.kind == "area" {
					p.kind = "area"
				}
			}
		}
	}
	return r.said, true
}

type saidReader struct {
	said
	dec *json.Decoder
}

// group begins a group of pairs that stand at a place.
func (r *saidReader) group(place string) int {
	r.places = append(r.places, place)
	return len(r.places) - 1
}

// value reads a value of the member of that name, which stands at place and may
// be in a title.
func (r *saidReader) value(member, place string, group int, title bool) bool {
	token, err := r.dec.Token()
	if err != nil {
		return false
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(place, title)
		}
		return r.list(member, place, group, title)
	case string:
		if title {
			r.titles = append(r.titles, t)
		}
		r.text(member, t, group)
	}
	return true
}

func (r *saidReader) object(place string, title bool) bool {
	group := r.group(place)
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return false
		}
		member, _ := token.(string)
		at := member
		if place != "" {
			at = place + "." + member
		}
		if !r.value(member, at, group, title || strings.EqualFold(member, "title")) {
			return false
		}
	}
	_, err := r.dec.Token()
	return err == nil
}

func (r *saidReader) list(member, place string, group int, title bool) bool {
	for i := 0; r.dec.More(); i++ {
		if !r.value(member, fmt.Sprintf("%s[%d]", place, i), group, title) {
			return false
		}
	}
	_, err := r.dec.Token()
	return err == nil
}

func (r *saidReader) text(member, text string, group int) {
	if member != "" {
		r.pairs = append(r.pairs, pair{member: member, kind: kindNamed(member), key: text, group: group})
	}
	if !strings.Contains(text, "/") {
		return
	}
	steps := r.group(r.places[group])
	for i := range len(text) {
		if text[i] != '/' {
			continue
		}
		from, to := i, i+1
		for from > 0 && inKey(text[from-1]) {
			from--
		}
		for to < len(text) && inKey(text[to]) {
			to++
		}
		r.pairs = append(r.pairs, pair{member: member, kind: text[from:i], key: text[i+1 : to], path: text, group: steps})
	}
}

// inKey reports whether a byte may stand in a key.
func inKey(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }

// keysIn calls f for every run of bytes in data that might be a key, until f
// says so; it returns whether it did, or whether data has escapes, behind which
// any key may stand. It is far cheaper than reading the JSON.
func keysIn(data []byte, f func(key []byte) bool) bool {
	for i := 0; i < len(data); i++ {
		if data[i] == '\\' {
			return true
		}
		from := i
		for i < len(data) && inKey(data[i]) {
			i++
		}
		if i > from {
			if f(data[from:i]) {
				return true
			}
			i--
		}
	}
	return false
}

// mention is a pair that names something withheld.
type mention struct {
	pair
	agreement domain.Key
}

// mentionsIn finds what is withheld among what data of an event or a command of
// ref name.
func (w *withheld) mentionsIn(ref domain.Ref, pairs []pair) (found []mention) {
	for _, p := range pairs {
		if !w.hasKey(p.key) {
			continue
		}
		for _, of := range w.meant(ref, pairs) {
			if w.names(ref, of, p, pairs) {
				found = append(found, mention{p, of})
				break
			}
		}
	}
	return found
}

// meant are the agreements of which data may speak: their own, and any that they
// name; where they name none, all in which something is restricted.
func (w *withheld) meant(ref domain.Ref, pairs []pair) (agreements []domain.Key) {
	if ref.Agreement != "" {
		agreements = append(agreements, ref.Agreement)
	}
	for _, p := range pairs {
		if p.kind == "agreement" && p.key != "" && p.key != string(ref.Agreement) {
			agreements = append(agreements, domain.Key(p.key))
		}
	}
	if agreements == nil {
		return w.restricted
	}
	return agreements
}

// names reports whether a pair in the data of ref names something withheld from
// an agreement: an aggregate, a part of the agreement, of ref itself, or of what
// stands beside it.
func (w *withheld) names(ref domain.Ref, of domain.Key, p pair, pairs []pair) bool {
	path := p.kind + "/" + p.key
	if w.has(of, path) || w.has(of, agreementPart(of, path)) || of == ref.Agreement && w.has(of, ref.Path()+"/"+path) {
		return true
	}
	for _, beside := range pairs {
		if beside.group == p.group && w.has(of, beside.kind+"/"+beside.key+"/"+path) {
			return true
		}
	}
	return false
}

// agreementPart is the path of a part of an agreement.
func agreementPart(of domain.Key, path string) string { return "agreement/" + string(of) + "/" + path }
