package web

import (
	"html/template"
	"strings"
)

// none is shown where there is nothing.
const none template.HTML = `<span class="none">–</span>`

// escaped is a text as markup.
func escaped(text string) template.HTML { return template.HTML(template.HTMLEscapeString(text)) }

// linked leads from a title to an address; where that is "", it is the title alone.
func linked(title template.HTML, address string) template.HTML {
	if address == "" {
		return title
	}
	return `<a href="` + escaped(address) + `">` + title + `</a>`
}

// joined puts several things one after the other; where there are none, it is none.
func joined(items []template.HTML, between template.HTML) template.HTML {
	if len(items) == 0 {
		return none
	}
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(string(between))
		}
		b.WriteString(string(item))
	}
	return template.HTML(b.String())
}
