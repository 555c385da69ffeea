// Package words is what people read, in their language. English is the source, and
// the key under which another language has it.
//
// What it guarantees:
//
//   - Everything that a page or a command's declaration says has a Chinese text, and
//     no Chinese text is of something that nobody says (TestEverythingIsSaidInChinese).
//   - What has no translation all the same is said in English, and never left out.
//   - Numbers, dates, amounts and plurals are written as the language does.
package words

import (
	"net/http"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/milepost-ledger/milepost/domain"
)

// Language is one of the languages that people are spoken to in.
type Language struct {
	Code string // BCP 47, for the attribute lang
	Name string // of itself, in itself

	printer      *message.Printer
	translations map[string]string // by the English; nil for English
	texts        []string          // tags under which a domain.Text may have it
	scales       []scale           // of large amounts, the largest first
}

// English and Chinese are the languages that there are.
var (
	English = &Language{Code: "en", Name: "English", printer: message.NewPrinter(language.English), texts: []string{"en"}, scales: []scale{{9, "billion"}, {6, "million"}}}
	Chinese = &Language{
		Code: "zh-Hans", Name: "简体中文", printer: message.NewPrinter(language.SimplifiedChinese),
		translations: chinese(), texts: []string{"zh-Hans", "zh", "zh-CN", "zh-Hans-CN"},
		scales: []scale{{8, "亿"}, {4, "万"}},
	}
)

// All lists the languages in the order in which they are offered.
var All = []*Language{English, Chinese}

var matcher = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})

// For returns the language that was chosen by its code or, where none was, the one
// that suits best what a browser says in Accept-Language.
func For(chosen, accept string) *Language {
	for _, l := range All {
		if l.Code == chosen {
			return l
		}
	}
	_, i := language.MatchStrings(matcher, accept)
	return All[i]
}

// Cookie is the cookie in which a browser keeps the language that was chosen.
const Cookie = "milepost-language"

// FromRequest returns the language for whoever asks: the one that was chosen, or
// else the one that the browser asks for.
func FromRequest(r *http.Request) *Language {
	chosen := ""
	if c, err := r.Cookie(Cookie); err == nil {
		chosen = c.Value
	}
	return For(chosen, r.Header.Get("Accept-Language"))
}

// Later marks a text that is said when it is chosen: it is the text itself, and
// TestEverythingIsSaidInChinese finds it here.
func Later(english string) string { return english }

// Say says a sentence, with what it has in place of its verbs (%s, %d, as fmt has
// them). Numbers are grouped as the language does.
func (l *Language) Say(english string, args ...any) string {
	text := l.translate(english)
	if len(args) == 0 {
		return text
	}
	return l.printer.Sprintf(text, args...)
}

func (l *Language) translate(english string) string {
	if t, ok := l.translations[english]; ok {
		return t
	}
	return english
}

// Count says how many there are of something, by a sentence for one and one for
// any other number; both have %d. Translations stand under the latter.
func (l *Language) Count(n int, one, other string) string {
	if n == 1 && l.translations == nil {
		return l.printer.Sprintf(one, n)
	}
	return l.printer.Sprintf(l.translate(other), n)
}

// Text returns a text in the language, or in another that it has, and the tag of the
// language that it then is in.
func (l *Language) Text(t domain.Text) (text, tag string) {
	for _, tag := range l.texts {
		if s, ok := t[tag]; ok {
			return s, l.Code
		}
	}
	text = t.In()
	for tag, s := range t {
		if s == text {
			return text, tag
		}
	}
	return text, l.Code
}
