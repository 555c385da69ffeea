package projections

import (
	"encoding/json"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// readJSON reads a nested value of a row. Texts and lists of keys are in almost
// every row, and are taken apart without encoding/json, which costs some twenty
// allocations of each; what has an escape in it, or is written otherwise than here,
// goes the slow way.
func readJSON(s string, to any) error {
	var ok bool
	switch to := to.(type) {
	case *json.RawMessage:
		*to, ok = json.RawMessage(s), true
	case *domain.Text:
		*to, ok = readText(s)
	case *[]domain.Key:
		*to, ok = readKeys(s)
	}
	if ok {
		return nil
	}
	return json.Unmarshal([]byte(s), to)
}

// readText reads what appendText wrote.
func readText(s string) (t domain.Text, ok bool) {
	rest, ok := strings.CutPrefix(s, "{")
	if !ok || strings.Contains(s, `\`) {
		return nil, false
	}
	for t = (domain.Text{}); ; {
		language, text := "", ""
		if rest, ok = strings.CutPrefix(rest, `"`); ok {
			language, rest, ok = strings.Cut(rest, `":"`)
		}
		if ok {
			text, rest, ok = strings.Cut(rest, `"`)
		}
		if !ok {
			return nil, false
		}
		t[language] = text
		if rest == "}" {
			return t, true
		}
		if rest, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, false
		}
	}
}

// readKeys reads what keysText wrote.
func readKeys(s string) (keys []domain.Key, ok bool) {
	list, ok := strings.CutPrefix(s, `["`)
	if ok {
		list, ok = strings.CutSuffix(list, `"]`)
	}
	if !ok || strings.Contains(list, `\`) {
		return nil, false
	}
	keys = make([]domain.Key, 0, strings.Count(list, `","`)+1)
	for key := range strings.SplitSeq(list, `","`) {
		if strings.Contains(key, `"`) {
			return nil, false
		}
		keys = append(keys, domain.Key(key))
	}
	return keys, true
}
