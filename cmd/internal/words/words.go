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
	"strconv"
	"strings"
	"time"

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
}

// English and Chinese are the languages that there are.
var (
	English = &Language{Code: "en", Name: "English", printer: message.NewPrinter(language.English), texts: []string{"en"}}
	Chinese = &Language{
		Code: "zh-Hans", Name: "简体中文", printer: message.NewPrinter(language.SimplifiedChinese),
		translations: chinese(), texts: []string{"zh-Hans", "zh", "zh-CN", "zh-Hans-CN"},
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

// Label says what a code of the ledger means, such as a state, a kind, or the name of a
// field or a command: "fulfilment-claimed" is "Fulfilment claimed".
func (l *Language) Label(code string) string {
	if code == "" {
		return ""
	}
	return l.translate(Plain(code))
}

// Plain is a code as English words.
func Plain(code string) string {
	text := strings.NewReplacer("-", " ", "_", " ").Replace(code)
	return strings.ToUpper(text[:1]) + text[1:]
}

// Date writes a civil date; none is "".
func (l *Language) Date(d domain.Date) string {
	if d == 0 {
		return ""
	}
	return d.Time(time.UTC).Format(l.dateLayout())
}

// Time writes an instant to the minute, in the place that it is in.
func (l *Language) Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(l.dateLayout() + " 15:04")
}

func (l *Language) dateLayout() string {
	if l == Chinese {
		return "2006年1月2日"
	}
	return "2 Jan 2006"
}

// Number writes an exact decimal with its digits in groups; none is "".
func (l *Language) Number(d domain.Decimal) string {
	whole, fraction, _ := strings.Cut(string(d), ".")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "−", rest
	}
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + b.String() + fraction
}

// Money writes an amount with its currency.
func (l *Language) Money(amount domain.Decimal, currency domain.Currency) string {
	if amount == "" {
		return ""
	}
	return string(currency) + " " + l.Number(amount)
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

// Days says how long a span of days is, with its sign where it has one.
func (l *Language) Days(n int) string {
	if n == 1 {
		return l.Say("1 day")
	}
	return l.Say("%s days", strconv.Itoa(n))
}
