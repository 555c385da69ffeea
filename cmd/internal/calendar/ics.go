package calendar

import (
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/milepost-ledger/milepost/cmd/internal/words"
)

// Media is the media type of a calendar.
const Media = "text/calendar"

// refresh is how often a program should look again, an ISO 8601 duration.
const refresh = "PT1H"

// Write writes the calendar of a ledger. Titles are in the first of the
// languages that they have.
func (c *Calendar) Write(w io.Writer, ledger string, languages ...string) error {
	out := ics.NewCalendarFor("Milepost")
	out.SetProductId("-//Milepost//Ledger " + ledger + "//EN")
	out.SetMethod(ics.MethodPublish)
	out.SetCalscale("GREGORIAN")
	out.SetName(c.Title.In(languages...))
	out.SetRefreshInterval(refresh)
	out.SetXPublishedTTL(refresh)
	say := words.For("", strings.Join(languages, ","))
	for _, e := range c.Entries {
		out.AddVEvent(e.event(c, ledger, say, languages))
	}
	return out.SerializeTo(w, ics.WithNewLineWindows)
}

func (e *Entry) event(c *Calendar, ledger string, say *words.Language, languages []string) *ics.VEvent {
	v := ics.NewEvent(string(c.Agreement) + "/" + e.Path + "@" + ledger)
	v.SetDtStampTime(c.At)
	v.SetSequence(int(e.Version))
	v.SetAllDayStartAt(e.On.Time(time.UTC))
	v.SetSummary(e.summary(say, languages))
	v.SetDescription(e.description(say))
	v.AddCategory(say.Label(e.Kind))
	v.SetTimeTransparency(ics.TransparencyTransparent)
	v.SetStatus(ics.ObjectStatusConfirmed)
	if e.Cancelled {
		v.SetStatus(ics.ObjectStatusCancelled)
	}
	return v
}

// summary is "Milestone: Design (IoT base)".
func (e *Entry) summary(say *words.Language, languages []string) string {
	title := e.Title.In(languages...)
	if within := e.Within.In(languages...); within != "" {
		title = say.Say("%s (%s)", title, within)
	}
	return say.Say("%s: %s", say.Label(e.Kind), title)
}

func (e *Entry) description(say *words.Language) string {
	var lines []string
	for _, f := range e.Facts {
		value := f.value
		if f.name == "state" {
			value = say.Label(value)
		}
		if value != "" {
			lines = append(lines, say.Say("%s: %s", say.Label(f.name), value))
		}
	}
	return strings.Join(lines, "\n")
}
