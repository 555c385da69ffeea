package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// choices are what a field may be: its codes, or what there is of what it names. free
// is that something else may be said as well.
func (f *form) choices(ctx context.Context, field domain.Field) (options []option, free bool, err error) {
	if field.Enum != nil {
		return f.codes(field.Enum), false, nil
	}
	kind := field.Name
	switch {
	case kind == f.creates() || f.typ.Name == "add-subscriber" && kind == "subscriber" || kind == "cleared" && field.Type == "boolean":
		return nil, true, nil // it is being named
	case kind == "parent":
		kind = parents[f.typ.Name]
	case refers[kind] != "":
		kind = refers[kind]
	}
	if sources[kind] == nil {
		return nil, true, nil
	}
	options, more, err := f.listOf(ctx, kind)
	if refused(err) { // what it would be of is not there: say it all the same
		return nil, true, nil
	}
	if field.Name == "party" && f.acting() {
		may := f.parties()
		if _, everybody := f.Principal.Parties(f.right()); !everybody && !f.Principal.Administers(f.key("agreement")) {
			options = slices.DeleteFunc(options, func(o option) bool { return !slices.Contains(may, domain.Key(o.Value)) })
		}
	}
	return options, more || slices.Contains(freely, kind) || f.typ.Name == "grant-access", err
}

// listOf is what there is of a kind, read once for all the inputs of a form that name
// one: a thousand rows ask the read models no more than one row.
func (f *form) listOf(ctx context.Context, kind string) (options []option, more bool, err error) {
	at := kind
	for _, within := range []string{"agreement", "project", "meeting", "fund", "indicator", "principal"} {
		at += "/" + string(f.key(within))
	}
	read, ok := f.lists[at]
	if !ok {
		if read.options, read.more, err = sources[kind](ctx, f); err != nil {
			return nil, false, err
		}
		if f.lists == nil {
			f.lists = map[string]optionList{}
		}
		f.lists[at] = read
	}
	return slices.Clone(read.options), read.more, nil
}

// optionList is a list as it was read; more is that it goes on.
type optionList struct {
	options []option
	more    bool
}

// listed makes options of a list.
func listed[T any](f *form, items []T, next string, err error, of func(T) (domain.Key, domain.Text)) ([]option, bool, error) {
	options := make([]option, 0, len(items))
	for _, item := range items {
		key, title := of(item)
		o := option{Value: string(key), Title: string(key)}
		if text := f.Plain(title); text != "" && text != o.Title {
			o.Title = text + " · " + o.Value
		}
		options = append(options, o)
	}
	return options, next != "", err
}

// codes makes options of the ledger's codes.
func (f *form) codes(codes []string) []option {
	options := make([]option, len(codes))
	for i, code := range codes {
		options[i] = option{Value: code, Title: f.Label(code)}
	}
	return options
}

func plain(values ...string) []option {
	options := make([]option, len(values))
	for i, value := range values {
		options[i] = option{Value: value, Title: value}
	}
	return options
}

// over says which agreement, or the whole ledger.
func (v *visit) over(agreement domain.Key) string {
	if agreement == "" {
		return v.Say("the whole ledger")
	}
	return string(agreement)
}

// partyOptions are the parties, those of the agreement first.
func partyOptions(ctx context.Context, f *form) ([]option, bool, error) {
	items, next, err := f.models.Parties(ctx, f.At, all)
	if err != nil {
		return nil, false, err
	}
	options, more, _ := listed(f, items, next, nil, func(p projections.Party) (domain.Key, domain.Text) { return p.Party, p.Title })
	if of := f.key("agreement"); of != "" {
		if a, err := f.models.Agreement(ctx, of, f.At); err == nil {
			within := func(o option) bool { return slices.Contains(a.Parties, domain.Key(o.Value)) }
			slices.SortStableFunc(options, func(a, b option) int {
				switch {
				case within(a) == within(b):
					return 0
				case within(a):
					return -1
				}
				return 1
			})
		}
	}
	return options, more, nil
}

func areaOptions(ctx context.Context, f *form) ([]option, bool, error) {
	a, err := f.models.Agreement(ctx, f.key("agreement"), f.At)
	areas := slices.DeleteFunc(slices.Clone(a.Areas), func(x projections.Area) bool { return x.Retired })
	return listed(f, areas, "", err, func(x projections.Area) (domain.Key, domain.Text) { return x.Area, x.Title })
}

func projectOptions(ctx context.Context, f *form) ([]option, bool, error) {
	items, next, err := f.models.Projects(ctx, f.key("agreement"), f.At, all)
	return listed(f, items, next, err, func(p projections.Project) (domain.Key, domain.Text) { return p.Project, p.Title })
}

// pathOptions are the projects and areas of the agreement, by their paths.
func pathOptions(ctx context.Context, f *form) (options []option, more bool, err error) {
	for _, of := range []struct {
		kind string
		list source
	}{{"project", projectOptions}, {"area", areaOptions}} {
		found, _, err := of.list(ctx, f)
		if err != nil {
			return nil, true, err
		}
		for _, o := range found {
			options = append(options, option{Value: of.kind + "/" + o.Value, Title: f.Label(of.kind) + ": " + o.Title})
		}
	}
	return options, true, nil
}
