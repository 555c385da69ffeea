package web

import (
	"context"
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// entity is something in the ledger as people know it: by its title, and by the
// titles of what it is in. Where it has none, or is not there at the point of the
// page, it is named by its kind and its key.
type entity struct {
	*visit
	Path  string // within its agreement: "project/iot-base/milestone/design"
	Parts []namedPart
	Page  string // the address of the page about it; "" where there is none
}

type namedPart struct {
	Kind  string
	Key   domain.Key
	Title domain.Text
}

// entityKey names an entity of the ledger.
type entityKey struct{ agreement, path string }

// Entity finds how something is called, by its agreement ("" for what is the
// ledger's own) and its path there.
func (v *visit) Entity(agreement, path string) entity {
	key := entityKey{agreement, path}
	if found, ok := v.entities[key]; ok {
		return found
	}
	e := entity{visit: v, Path: path}
	words := strings.Split(path, "/")
	for i := 0; i+1 < len(words); i += 2 {
		e.Parts = append(e.Parts, namedPart{words[i], domain.Key(words[i+1]), nil})
	}
	v.nameParts(domain.Key(agreement), e.Parts)
	e.Page = v.pageOf(domain.Key(agreement), e.Parts)
	if v.entities == nil {
		v.entities = map[entityKey]entity{}
	}
	v.entities[key] = e
	return e
}

// EntityIn is Entity within the agreement of the page.
func (v *visit) EntityIn(path string) entity { return v.Entity(string(v.Agreement), path) }

// Name is what it is called, with what it is in before it.
func (e entity) Name() template.HTML {
	var names []string
	for _, p := range e.Parts {
		if name := e.Text(p.Title); p.Title != nil {
			names = append(names, string(name))
			continue
		}
		names = append(names, template.HTMLEscapeString(e.Label(p.Kind))+" <code>"+template.HTMLEscapeString(string(p.Key))+"</code>")
	}
	if len(names) == 0 {
		return template.HTML("<code>" + template.HTMLEscapeString(e.Path) + "</code>")
	}
	return template.HTML(strings.Join(names, ` <span class="soft" aria-hidden="true">›</span> `))
}

// PlainName is Name for where no markup can be.
func (e entity) PlainName() string {
	var names []string
	for _, p := range e.Parts {
		if name := e.Plain(p.Title); name != "" {
			names = append(names, name)
			continue
		}
		names = append(names, e.Label(p.Kind)+" "+string(p.Key))
	}
	if len(names) == 0 {
		return e.Path
	}
	return strings.Join(names, " › ")
}

// nameParts finds the titles. What is not there at the point of the page, and what
// has no title, stays without.
func (v *visit) nameParts(agreement domain.Key, parts []namedPart) {
	if len(parts) == 0 || v.models == nil {
		return
	}
	ctx, at, key := v.request.Context(), v.At, parts[0].Key
	if at.Effective != 0 && agreement != at.Agreement {
		at = projections.Point{Seq: at.Seq, At: at.At, Day: at.Day} // on the second axis is only the agreement
	}
	title := func(t domain.Text, err error) {
		if err == nil && len(t) > 0 {
			parts[0].Title = t
		}
	}
	switch parts[0].Kind {
	case "agreement":
		a, err := v.models.Agreement(ctx, key, at)
		title(a.Title, err)
	case "party":
		p, err := v.models.Party(ctx, key, at)
		title(p.Title, err)
	case "project":
		p, err := v.models.Project(ctx, agreement, key, at)
		title(p.Title, err)
	case "meeting":
		m, err := v.models.Meeting(ctx, agreement, key, at)
		title(m.Title, err)
	case "amendment":
		a, err := v.models.Amendment(ctx, agreement, key, at)
		title(a.Title, err)
	case "fund":
		f, err := v.models.Fund(ctx, agreement, key, at)
		title(f.Title, err)
	case "indicator":
		i, err := v.models.Indicator(ctx, agreement, key, at)
		title(i.Title, err)
	case "area", "mechanism", "obligation": // as decisions name them
		v.namePart(ctx, agreement, "agreement", agreement, &parts[0], at)
	}
	if len(parts) > 1 {
		v.namePart(ctx, agreement, parts[0].Kind, key, &parts[1], at)
	}
}

// namePart finds the title of a part of an aggregate.
func (v *visit) namePart(ctx context.Context, agreement domain.Key, kind string, key domain.Key, part *namedPart, at projections.Point) {
	every := projections.Page{Limit: projections.MaxLimit}
	switch kind + "/" + part.Kind {
	case "project/milestone":
		if m, err := v.models.Milestone(ctx, agreement, key, part.Key, at); err == nil {
			part.Title = m.Title
		}
	case "project/gate":
		gates, _, _ := v.models.Gates(ctx, agreement, key, at, every)
		for _, g := range gates {
			if g.Gate == part.Key {
				part.Title = g.Title
			}
		}
	case "agreement/mechanism":
		if m, err := v.models.Mechanism(ctx, agreement, part.Key, at); err == nil {
			part.Title = m.Title
		}
	case "agreement/obligation":
		if o, err := v.models.Obligation(ctx, agreement, part.Key, at); err == nil {
			part.Title = o.Title
		}
	case "agreement/area", "agreement/prior":
		a, _ := v.models.Agreement(ctx, agreement, at)
		for _, area := range a.Areas {
			if part.Kind == "area" && area.Area == part.Key {
				part.Title = area.Title
			}
		}
		for _, prior := range a.Prior {
			if part.Kind == "prior" && prior.Entry == part.Key {
				part.Title = prior.Title
			}
		}
	case "meeting/decision":
		decisions, _, _ := v.models.Decisions(ctx, agreement, key, at, every)
		for _, d := range decisions {
			if d.Decision == part.Key {
				part.Title = d.Title
			}
		}
	case "meeting/action":
		actions, _, _ := v.models.Actions(ctx, agreement, key, at, every)
		for _, a := range actions {
			if a.Action == part.Key {
				part.Title = a.Title
			}
		}
	case "fund/pledge", "agreement/signature", "amendment/signature": // their keys are often those of parties
		if p, err := v.models.Party(ctx, part.Key, projections.Point{Seq: at.Seq, At: at.At, Day: at.Day}); err == nil {
			part.Title = p.Title
		}
	}
	if len(part.Title) == 0 {
		part.Title = nil
	}
}

// pageOf is the address of the page about an entity, or about what it is in.
func (v *visit) pageOf(agreement domain.Key, parts []namedPart) string {
	if len(parts) == 0 {
		return ""
	}
	first, below := parts[0], "/agreements/{agreement}"
	pattern, address, fragment := "", agreementPath(agreement), ""
	switch first.Kind {
	case "agreement":
		pattern, address = below, agreementPath(first.Key)
	case "party":
		pattern, address = "/parties/{party}", "/parties/"+string(first.Key)
	case "access":
		pattern, address = "/access/{principal}", "/access/"+string(first.Key)
	case "project", "meeting", "fund", "amendment":
		pattern, address = below+"/"+first.Kind+"s/{"+first.Kind+"}", agreementPath(agreement, first.Kind+"s", string(first.Key))
	case "indicator":
		pattern, address = below+"/results/{indicator}", agreementPath(agreement, "results", string(first.Key))
	case "area", "mechanism", "obligation":
		pattern = below
	}
	if len(parts) > 1 && parts[1].Kind == "milestone" {
		pattern, address = pattern+"/milestones/{milestone}", address+"/milestones/"+string(parts[1].Key)
	}
	last := parts[len(parts)-1]
	switch {
	case len(parts) > 1 && first.Kind == "meeting", last.Kind == "obligation", last.Kind == "mechanism":
		fragment = "#" + last.Kind + "-" + string(last.Key)
	}
	right, ok := access.Route("GET " + pattern)
	if !ok || !v.Principal.Begin(right) {
		return ""
	}
	return v.Link(address) + fragment
}
