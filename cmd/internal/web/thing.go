package web

import (
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// thing is what a change or a wait is about: what it is called, and the page that
// shows it.
type thing struct {
	Kind  string      // of the innermost part: milestone, obligation
	Title domain.Text // nil where it has none
	Key   domain.Key
	In    *thing // that it is a part of, where that is not the agreement itself
	Path  string // "" where no page shows it

	anchor string // where on that page
}

// Where is the address of what shows a thing; "" where nothing does.
func (v *visit) Where(t *thing) string {
	if t.Path == "" {
		return ""
	}
	return v.Link(t.Path) + t.anchor
}

// Shown shows a thing, what it is and what it is in, and leads to it.
func (v *visit) Shown(t *thing) template.HTML {
	escape := template.HTMLEscapeString
	title := escape(string(t.Key))
	if len(t.Title) > 0 {
		title = string(v.Text(t.Title))
	}
	if where := v.Where(t); where != "" {
		title = `<a href="` + escape(where) + `">` + title + `</a>`
	}
	about := escape(v.Label(t.Kind))
	if t.Kind == "period" {
		about += " " + escape(string(t.Key))
	} else if t.In != nil && t.In.Kind != "agreement" && len(t.In.Title) > 0 {
		about += " · " + string(v.Text(t.In.Title))
	}
	return template.HTML(title + ` <span class="soft small">` + about + `</span>`)
}

// Thing finds what the path of an entity means, "project/iot-base/milestone/design".
// What is not there any more, or has no title, is called by its key, and so is what
// cannot be read just now: a page that is there but for one name is still of use.
func (v *visit) Thing(agreement domain.Key, entity string) *thing {
	at := string(agreement) + ":" + entity
	if t, ok := v.things[at]; ok {
		return t
	}
	t := v.thing(agreement, strings.Split(entity, "/"))
	if v.things == nil {
		v.things = map[string]*thing{}
	}
	v.things[at] = t
	return t
}

func (v *visit) thing(agreement domain.Key, path []string) *thing {
	if len(path) < 2 {
		return &thing{Key: domain.Key(strings.Join(path, "/"))}
	}
	ctx, at := v.request.Context(), v.At
	kind, key := path[0], domain.Key(path[1])
	t := &thing{Kind: kind, Key: key}
	switch kind {
	case "agreement":
		t.Path = agreementPath(key)
		found, _ := v.models.Agreement(ctx, key, at)
		t.Title = found.Title
	case "project":
		t.Path = agreementPath(agreement, "projects", path[1])
		found, _ := v.models.Project(ctx, agreement, key, at)
		t.Title = found.Title
	case "fund":
		t.Path = agreementPath(agreement, "funds", path[1])
		found, _ := v.models.Fund(ctx, agreement, key, at)
		t.Title = found.Title
	case "indicator":
		t.Path = agreementPath(agreement, "results", path[1])
		found, _ := v.models.Indicator(ctx, agreement, key, at)
		t.Title = found.Title
	case "meeting":
		t.Path = agreementPath(agreement, "meetings", path[1])
		found, _ := v.models.Meeting(ctx, agreement, key, at)
		t.Title = found.Title
	case "amendment":
		t.Path = agreementPath(agreement, "amendments", path[1])
		found, _ := v.models.Amendment(ctx, agreement, key, at)
		t.Title = found.Title
	case "party":
		t.Path, t.Title = "/parties/"+path[1], v.partyTitle(key)
	}
	if len(path) < 4 {
		return t
	}
	return v.part(agreement, t, path)
}

// part finds a part of an aggregate.
func (v *visit) part(agreement domain.Key, of *thing, path []string) *thing {
	ctx, at, key := v.request.Context(), v.At, domain.Key(path[3])
	t := &thing{Kind: path[2], Key: key, In: of, Path: of.Path}
	switch of.Kind + "/" + t.Kind {
	case "project/milestone":
		t.Path = agreementPath(agreement, "projects", path[1], "milestones", path[3])
		found, _ := v.models.Milestone(ctx, agreement, of.Key, key, at)
		t.Title = found.Title
	case "agreement/obligation":
		found, _ := v.models.Obligation(ctx, agreement, key, at)
		t.Title, t.anchor = found.Title, "#obligations"
	case "agreement/mechanism":
		found, _ := v.models.Mechanism(ctx, agreement, key, at)
		t.Title, t.anchor = found.Title, "#mechanisms"
	case "agreement/signature", "amendment/signature":
		t.Title = v.partyTitle(key)
	case "indicator/period":
		t.Title = of.Title
	case "meeting/action":
		actions, _, _ := v.models.Actions(ctx, agreement, of.Key, at, projections.Page{Limit: projections.MaxLimit})
		for _, a := range actions {
			if a.Action == key {
				t.Title = a.Title
			}
		}
	case "meeting/decision":
		decisions, _, _ := v.models.Decisions(ctx, agreement, of.Key, at, projections.Page{Limit: projections.MaxLimit})
		for _, d := range decisions {
			if d.Decision == key {
				t.Title = d.Title
			}
		}
	}
	return t
}
