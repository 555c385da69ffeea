package web

import (
	"html/template"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
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
	Title domain.Text // nil where there is none
}

// Entity finds how something is called, by its agreement ("" for what is the
// ledger's own) and its path there.
func (v *visit) Entity(agreement, path string) entity {
	of, e := domain.Key(agreement), entity{visit: v, Path: path}
	words := strings.Split(path, "/")
	for i := 0; i+1 < len(words); i += 2 {
		title := v.title(of, strings.Join(words[:i+2], "/"))
		e.Parts = append(e.Parts, namedPart{words[i], domain.Key(words[i+1]), title})
	}
	e.Page = v.pageOf(of, e.Parts)
	return e
}

// EntityIn is Entity within the agreement of the page.
func (v *visit) EntityIn(path string) entity { return v.Entity(string(v.Agreement), path) }

// last is the innermost part: what the others are around. There is none where the
// path says nothing.
func (e entity) last() (last namedPart) {
	if n := len(e.Parts); n > 0 {
		last = e.Parts[n-1]
	}
	return last
}

// Short is the innermost title, or else the key.
func (e entity) Short() template.HTML {
	if last := e.last(); last.Title == nil {
		return escaped(string(last.Key))
	}
	return e.Text(e.last().Title)
}

// PlainShort is Short for where no markup can be.
func (e entity) PlainShort() string {
	if title := e.Plain(e.last().Title); title != "" {
		return title
	}
	return string(e.last().Key)
}

// Linked is Short, and leads to the page.
func (e entity) Linked() template.HTML { return linked(e.Short(), e.Page) }

// Name is what it is called, with what it is in before it.
func (e entity) Name() template.HTML {
	if len(e.Parts) == 0 {
		return "<code>" + escaped(e.Path) + "</code>"
	}
	var names []template.HTML
	for _, p := range e.Parts {
		name := escaped(e.Label(p.Kind)) + " <code>" + escaped(string(p.Key)) + "</code>"
		if p.Title != nil {
			name = e.Text(p.Title)
		}
		names = append(names, name)
	}
	return joined(names, ` <span class="soft" aria-hidden="true">›</span> `)
}

// PlainName is Name for where no markup can be.
func (e entity) PlainName() string {
	if len(e.Parts) == 0 {
		return e.Path
	}
	var names []string
	for _, p := range e.Parts {
		name := e.Plain(p.Title)
		if name == "" {
			name = e.Label(p.Kind) + " " + string(p.Key)
		}
		names = append(names, name)
	}
	return strings.Join(names, " › ")
}

// Shown is Linked, with what it is and what it is in after it.
func (e entity) Shown() template.HTML {
	if len(e.Parts) == 0 {
		return e.Name()
	}
	first, last := e.Parts[0], e.last()
	title, about := e.Linked(), escaped(e.Label(last.Kind))
	switch {
	case len(e.Parts) == 1 || first.Title == nil:
	case last.Kind == "period": // the result is what people know it by
		e.Parts = e.Parts[:1]
		title, about = e.Linked(), about+" "+escaped(string(last.Key))
	case first.Kind != "agreement":
		about += " · " + e.Text(first.Title)
	}
	return title + ` <span class="soft small">` + about + `</span>`
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
		pattern, address = below+"/"+first.Kind+"s/{"+first.Kind+"}", agreementPath(agreement, domain.Key(first.Kind+"s"), first.Key)
	case "indicator":
		pattern, address = below+"/results/{indicator}", agreementPath(agreement, "results", first.Key)
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
	if right, ok := access.Route("GET " + pattern); !ok || !v.Principal.Begin(right) {
		return ""
	}
	return v.Link(address) + fragment
}
