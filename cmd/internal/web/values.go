package web

import (
	"cmp"
	"encoding/json"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
)

// parameter is one of a query.
type parameter struct{ Name, Value string }

func sorted(p []parameter) []parameter {
	slices.SortFunc(p, func(a, b parameter) int { return cmp.Compare(a.Name, b.Name) })
	return p
}

func uintText(n uint64) string { return strconv.FormatUint(n, 10) }

func minSeq(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, api.InvalidParameter("min_seq", "Want a sequence, such as 128.")
	}
	return n, nil
}

// RAG shows how something stands, in words beside the colour.
func (v *visit) RAG(rag string) template.HTML {
	if rag == "" {
		return none
	}
	return template.HTML(`<span class="rag rag-` + template.HTMLEscapeString(rag) + `">` + template.HTMLEscapeString(v.Label(rag)) + `</span>`)
}

// Value shows a field's value as a change has it: dates, numbers and texts as the
// language writes them, and a dash for nothing.
func (v *visit) Value(raw json.RawMessage) template.HTML {
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if len(raw) == 0 || decoder.Decode(&value) != nil {
		return v.any(nil)
	}
	return v.any(value)
}

func (v *visit) any(value any) template.HTML {
	switch value := value.(type) {
	case string:
		if d, err := domain.ParseDate(value); err == nil {
			return v.Day(d)
		}
		if value != "" {
			return escaped(value)
		}
	case json.Number:
		if d, err := domain.ParseDecimal(value.String()); err == nil {
			return template.HTML(v.Number(d))
		}
		return escaped(value.String())
	case bool:
		if value {
			return escaped(v.Say("yes"))
		}
		return escaped(v.Say("no"))
	case []any:
		var items []string
		for _, item := range value {
			items = append(items, string(v.any(item)))
		}
		if len(items) > 0 {
			return template.HTML(strings.Join(items, ", "))
		}
	case map[string]any:
		return v.object(value)
	}
	return none
}

// object shows an amount, a text, or any other object by its members.
func (v *visit) object(members map[string]any) template.HTML {
	amount, _ := members["amount"].(string)
	if currency, ok := members["currency"].(string); ok && len(members) == 2 {
		return escaped(v.Money(domain.Decimal(amount), domain.Currency(currency)))
	}
	text := domain.Text{}
	for tag, s := range members {
		if s, ok := s.(string); ok && len(strings.SplitN(tag, "-", 2)[0]) == 2 {
			text[tag] = s
		}
	}
	if len(text) > 0 && len(text) == len(members) {
		return v.Text(text)
	}
	var names []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var items []string
	for _, name := range names {
		items = append(items, template.HTMLEscapeString(v.Label(name))+": "+string(v.any(members[name])))
	}
	return template.HTML(strings.Join(items, "; "))
}
