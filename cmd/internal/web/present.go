package web

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// present are the fields that a form is filled in with as they are now, by command.
var present = map[string][]string{
	"change-party":         {"title", "kind", "parent"},
	"revise-draft":         {"title", "parties", "document", "renews", "term"},
	"sign-agreement":       {"document"},
	"change-mechanism":     {"title", "members", "cadence"},
	"change-scope":         {"title", "kind", "areas", "lead"},
	"set-tolerance":        {"amber", "red"},
	"reforecast-milestone": {"forecast"},
	"reschedule-milestone": {"due"},
	"report-progress":      {"percent"},
	"reschedule-meeting":   {"on"},
	"hold-meeting":         {"on"},
	"confirm-minutes":      {"minutes"},
	"sign-amendment":       {"document"},
	"establish-fund":       {"currency", "target_size", "manager"},
}

// changing are the commands by which what is not said stays as it is. What comes back
// as it was is then not said: the event has what somebody changed, and no more.
var changing = []string{"change-party", "revise-draft", "change-mechanism", "change-scope"}

// asItIs returns the fields of what the command is about, as they are now.
func (f *form) asItIs(ctx context.Context) (map[string]any, error) {
	thing, err := f.subject(ctx)
	if refused(err) {
		return nil, nil // it is not said, or not there: the command will tell
	}
	if err != nil || thing == nil {
		return nil, err
	}
	now := members(thing)
	if tolerance, ok := now["tolerance"].(map[string]any); ok {
		now["amber"], now["red"] = tolerance["amber"], tolerance["red"]
	}
	is := map[string]any{}
	for _, name := range present[f.typ.Name] {
		if value := now[name]; value != nil && value != "" {
			is[name] = value
		}
	}
	return is, nil
}

// subject is what the command is about, nil where that has no present to begin with.
func (f *form) subject(ctx context.Context) (any, error) {
	of, at := f.key("agreement"), f.At
	switch named := present[f.typ.Name]; {
	case named == nil:
		return nil, nil
	case f.typ.Name == "change-mechanism":
		return f.models.Mechanism(ctx, of, f.key("mechanism"), at)
	case f.has("milestone"):
		return f.models.Milestone(ctx, of, f.key("project"), f.key("milestone"), at)
	}
	switch f.kind {
	case "party":
		return f.models.Party(ctx, f.key("party"), at)
	case "agreement":
		return f.models.Agreement(ctx, of, at)
	case "project":
		return f.models.Project(ctx, of, f.key("project"), at)
	case "meeting":
		return f.models.Meeting(ctx, of, f.key("meeting"), at)
	case "amendment":
		return f.models.Amendment(ctx, of, f.key("amendment"), at)
	case "fund":
		return f.models.Fund(ctx, of, f.key("fund"), at)
	}
	return nil, nil
}

// prefill fills in what is not said yet: how things are, and what is most likely meant.
func (f *form) prefill(ctx context.Context) error {
	now, err := f.asItIs(ctx)
	if err != nil {
		return err
	}
	for name, value := range now {
		if !f.filled(name) {
			f.put(name, value)
		}
	}
	for _, field := range f.typ.Fields {
		switch {
		case f.filled(field.Name):
		case field.Name == "date" && field.Format == "date", field.Name == "met_on", field.Name == "fulfilled_on":
			f.values.Set(field.Name, f.At.Day.String())
		case field.Name == "signatory":
			f.values.Set(field.Name, f.Principal.Name)
		case field.Name == "party" && f.acting():
			if may := f.parties(); len(may) == 1 {
				f.values.Set(field.Name, string(may[0]))
			}
		case field.Name == "value" && f.key("fund") != "":
			if fund, err := f.models.Fund(ctx, f.key("agreement"), f.key("fund"), f.At); err == nil {
				f.values.Set("value.currency", string(fund.Currency))
			}
		}
	}
	f.actFor()
	return nil
}

// put fills in a value as it stands in JSON.
func (f *form) put(path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, part := range value {
			f.put(path+"."+name, part)
		}
	case []any:
		for _, item := range value {
			if s, ok := item.(string); ok {
				f.values.Add(path, s)
			}
		}
	case string:
		f.values.Set(path, value)
	case json.Number:
		f.values.Set(path, value.String())
	}
}

// members are those of a value's JSON object.
func members(value any) (m map[string]any) {
	decoder := json.NewDecoder(strings.NewReader(string(domain.EncodeValue(value))))
	decoder.UseNumber()
	if decoder.Decode(&m) != nil {
		return nil
	}
	return m
}

// same reports whether two values are alike; of lists of keys the order says nothing.
func same(a, b any) bool {
	if a == nil || b == nil {
		return false
	}
	canonical := func(v any) any {
		decoded := members(map[string]any{"v": v})["v"]
		switch decoded := decoded.(type) {
		case []any:
			slices.SortFunc(decoded, func(x, y any) int {
				return strings.Compare(string(domain.EncodeValue(x)), string(domain.EncodeValue(y)))
			})
		case map[string]any:
			for name, part := range decoded {
				if part == nil || part == "" {
					delete(decoded, name)
				}
			}
		}
		return decoded
	}
	return reflect.DeepEqual(canonical(a), canonical(b))
}
