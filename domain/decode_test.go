package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
)

func decode(t require.TestingT, command, raw string) (domain.Command, domain.Meta, error) {
	c, _, err := catalogue.Command(command)
	require.NoError(t, err)
	return c.Decode([]byte(raw))
}

func TestDecodeTakesACommandAndItsMeta(t *testing.T) {
	cmd, meta, err := decode(t, "schedule-milestone", ` { "command": "schedule-milestone",
		"agreement": "a", "project": "p", "milestone": "m-1", "title": {"en": "Site", "zh": "场地"}, "due": "2024-02-29",
		"weight": 0, "confirming": ["wuxi"], "depends_on": null, "t\u0079pe": "approval",
		"actor": "li", "effective": "2024-01-01", "expected_version": 7, "evidence": ["`+string(domaintest.File)+`"] } `)
	require.NoError(t, err)
	weight := 0
	assert.Equal(t, project.Schedule{
		ID: project.ID{Agreement: "a", Project: "p"}, Milestone: "m-1", Title: domain.Text{"en": "Site", "zh": "场地"},
		Due: domain.MustDate("2024-02-29"), Weight: &weight, Type: "approval", Confirming: []domain.Key{"wuxi"},
	}, cmd)
	version := uint64(7)
	assert.Equal(t, domain.Meta{
		Actor: "li", Effective: domain.MustDate("2024-01-01"), ExpectedVersion: &version, Evidence: []domain.Hash{domaintest.File},
	}, meta)
}

func TestDecodeRefusesByName(t *testing.T) {
	const (
		sign     = `"agreement":"a","party":"p","signatory":"S","document":"1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"`
		draft    = `"kind":"framework","parties":["a","b"]`
		progress = `"agreement":"a","project":"p","milestone":"m"`
	)
	for name, c := range map[string]struct{ command, raw, code, field string }{
		"nothing":                    {"sign-agreement", ``, domain.CodeMalformed, ""},
		"not JSON":                   {"sign-agreement", `{"agreement":`, domain.CodeMalformed, ""},
		"trailing garbage":           {"sign-agreement", `{} x`, domain.CodeMalformed, ""},
		"two objects":                {"sign-agreement", `{}{}`, domain.CodeMalformed, ""},
		"an array":                   {"sign-agreement", `[]`, domain.CodeMalformed, ""},
		"null":                       {"sign-agreement", `null`, domain.CodeMalformed, ""},
		"not UTF-8":                  {"sign-agreement", "{\"agreement\":\"\xff\"}", domain.CodeMalformed, ""},
		"another command":            {"sign-agreement", `{"command":"add-area"}`, domain.CodeInvalidValue, "command"},
		"an unknown field":           {"sign-agreement", `{` + sign + `,"date":"2024-01-01","colour":"red"}`, domain.CodeUnknownField, "colour"},
		"a field in capitals":        {"sign-agreement", `{` + sign + `,"Date":"2024-01-01"}`, domain.CodeUnknownField, "Date"},
		"a field within a field":     {"draft-agreement", `{` + draft + `,"title":"T","term":{"begin":"2024-01-01"}}`, domain.CodeUnknownField, "term.begin"},
		"a field twice":              {"sign-agreement", `{` + sign + `,"date":"2024-01-01","date":"2024-01-01"}`, domain.CodeInvalidValue, "date"},
		"a field twice, once null":   {"sign-agreement", `{` + sign + `,"date":null,"date":"2024-01-01"}`, domain.CodeInvalidValue, "date"},
		"a field within, twice":      {"draft-agreement", `{` + draft + `,"title":"T","term":{"end":null,"end":null}}`, domain.CodeInvalidValue, "term.end"},
		"a language twice":           {"draft-agreement", `{` + draft + `,"title":{"en":"A","en":"B"}}`, domain.CodeInvalidValue, "title.en"},
		"a language in two cases":    {"draft-agreement", `{` + draft + `,"title":{"en":"A","EN":"B"}}`, domain.CodeInvalidValue, "title"},
		"a NUL in a title":           {"draft-agreement", `{` + draft + `,"title":"T\u0000"}`, domain.CodeInvalidValue, "title.en"},
		"half a character":           {"draft-agreement", `{` + draft + `,"title":"\ud800"}`, domain.CodeInvalidValue, "title.en"},
		"a bell in a signatory":      {"sign-agreement", `{"agreement":"a","party":"p","signatory":"\u0007","date":"2024-01-01","document":"` + strings.Repeat("a", 64) + `"}`, domain.CodeInvalidValue, "signatory"},
		"a missing field":            {"sign-agreement", `{` + sign + `}`, domain.CodeMissingField, "date"},
		"null for a field":           {"sign-agreement", `{` + sign + `,"date":null}`, domain.CodeMissingField, "date"},
		"an empty list":              {"draft-agreement", `{"kind":"framework","title":"T","parties":[]}`, domain.CodeMissingField, "parties"},
		"a missing number":           {"report-progress", `{` + progress + `}`, domain.CodeMissingField, "percent"},
		"null for a number":          {"report-progress", `{` + progress + `,"percent":null}`, domain.CodeMissingField, "percent"},
		"text for a number":          {"report-progress", `{` + progress + `,"percent":"50"}`, domain.CodeInvalidValue, "percent"},
		"half a percent":             {"report-progress", `{` + progress + `,"percent":0.5}`, domain.CodeInvalidValue, "percent"},
		"a number too great":         {"report-progress", `{` + progress + `,"percent":101}`, domain.CodeInvalidValue, "percent"},
		"a number past all bounds":   {"report-progress", `{` + progress + `,"percent":1e99}`, domain.CodeInvalidValue, "percent"},
		"a number for a text":        {"sign-agreement", `{` + sign + `,"date":20240101}`, domain.CodeInvalidValue, "date"},
		"a text for a list":          {"draft-agreement", `{"kind":"framework","title":"T","parties":"a,b"}`, domain.CodeInvalidValue, "parties"},
		"a text for an object":       {"draft-agreement", `{` + draft + `,"title":"T","term":"2024"}`, domain.CodeInvalidValue, "term"},
		"a date that is none":        {"sign-agreement", `{` + sign + `,"date":"2025-02-30"}`, domain.CodeInvalidValue, "date"},
		"a date within that is none": {"draft-agreement", `{` + draft + `,"title":"T","term":{"end":"2025-02-30"}}`, domain.CodeInvalidValue, "term.end"},
		"a key in capitals":          {"add-area", `{"agreement":"A","title":"T"}`, domain.CodeInvalidValue, "agreement"},
		"a key too long":             {"add-area", `{"agreement":"` + strings.Repeat("a", 65) + `","title":"T"}`, domain.CodeInvalidValue, "agreement"},
		"a key with a dash first":    {"add-area", `{"agreement":"-a","title":"T"}`, domain.CodeInvalidValue, "agreement"},
		"a key with a dot":           {"add-area", `{"agreement":"a.b","title":"T"}`, domain.CodeInvalidValue, "agreement"},
		"no key in a list of keys":   {"draft-agreement", `{"kind":"framework","title":"T","parties":["a",""]}`, domain.CodeInvalidValue, "parties[1]"},
		"a hash that is none":        {"draft-agreement", `{` + draft + `,"title":"T","document":"abc"}`, domain.CodeInvalidValue, "document"},
		"a hash in capitals":         {"draft-agreement", `{` + draft + `,"title":"T","document":"` + strings.Repeat("1A", 32) + `"}`, domain.CodeInvalidValue, "document"},
		"nobody in a list of people": {"hold-meeting", `{"agreement":"a","meeting":"m","attendees":[{"party":"p","name":"N"},null]}`, domain.CodeMissingField, "attendees[1].party"},
		"evidence that says nothing": {"report-progress", `{` + progress + `,"percent":1,"evidence":[""]}`, domain.CodeInvalidValue, "evidence[0]"},
		"evidence without end":       {"report-progress", `{` + progress + `,"percent":1,"evidence":["` + strings.Repeat(string(domaintest.Text1)+`","`, 1000) + string(domaintest.Text1) + `"]}`, domain.CodeInvalidValue, "evidence"},
		"evidence that is none":      {"report-progress", `{` + progress + `,"percent":1,"evidence":["x"]}`, domain.CodeInvalidValue, "evidence"},
		"not one of the enum":        {"draft-agreement", `{"kind":"treaty","title":"T","parties":["a","b"]}`, domain.CodeInvalidValue, "kind"},
		"too few in a list":          {"draft-agreement", `{"kind":"framework","title":"T","parties":["a"]}`, domain.CodeInvalidValue, "parties"},
		"a text too long":            {"sign-agreement", `{"agreement":"a","party":"p","signatory":"` + strings.Repeat("长", 201) + `","date":"2024-01-01","document":"` + string(domaintest.Text1) + `"}`, domain.CodeInvalidValue, "signatory"},
		"a title in no language":     {"draft-agreement", `{` + draft + `,"title":{"":"T"}}`, domain.CodeInvalidValue, "title"},
		"an empty title":             {"draft-agreement", `{` + draft + `,"title":{"en":""}}`, domain.CodeInvalidValue, "title"},
		"a title of numbers":         {"draft-agreement", `{` + draft + `,"title":7}`, domain.CodeInvalidValue, "title"},
		"corrects what is no event":  {"report-progress", `{` + progress + `,"percent":1,"corrects":"event-7"}`, domain.CodeInvalidValue, "corrects"},
		"a version below nothing":    {"report-progress", `{` + progress + `,"percent":1,"expected_version":-1}`, domain.CodeInvalidValue, "expected_version"},
		"an effective date of now":   {"report-progress", `{` + progress + `,"percent":1,"effective":"now"}`, domain.CodeInvalidValue, "effective"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _, err := decode(t, c.command, c.raw)
			var r *domain.Rejected
			require.True(t, errors.As(err, &r), "%v %+v", err, cmd)
			assert.Equal(t, [2]string{c.code, c.field}, [2]string{r.Code, r.Field}, r.Message)
			assert.NotEmpty(t, r.Message)
		})
	}
}

func TestBoundsCountCharacters(t *testing.T) {
	_, _, err := decode(t, "sign-agreement", `{"agreement":"a","party":"p","signatory":"`+strings.Repeat("长", 200)+`","date":"2024-01-01","document":"`+string(domaintest.Text1)+`"}`)
	assert.NoError(t, err)
}

func TestUnknownCommandSuggests(t *testing.T) {
	_, _, err := catalogue.Command("reforcast-milestone")
	assert.ErrorContains(t, err, "reforecast-milestone")
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	assert.Equal(t, domain.CodeUnknownCommand, r.Code)
}

// What was made in code is refused as what came from outside is.
func TestCheckRefusesAsDecodeDoes(t *testing.T) {
	en := domaintest.En("T")
	for _, cmd := range []domain.Command{
		agreement.Draft{},
		agreement.Draft{Kind: "treaty", Title: en, Parties: []domain.Key{"a", "b"}},
		agreement.Draft{Kind: "framework", Title: en, Parties: []domain.Key{"a"}},
		agreement.Draft{Kind: "framework", Title: en, Parties: []domain.Key{"a", ""}},
		agreement.AddArea{ID: agreement.ID{Agreement: "A.>"}, Title: en},
		agreement.RecordPrior{ID: domaintest.Framework, Title: en, Date: "once"},
		agreement.AddArea{ID: domaintest.Framework, Area: "a", Title: domain.Text{"en": "A", "zh": ""}},
		agreement.AddArea{ID: domaintest.Framework, Area: "a", Title: domain.Text{"no language": "A"}},
		fund.RecordPledge{ID: fund.ID{Agreement: "a", Fund: "f"}, Party: "p", Value: domain.Money{Amount: "1e3", Currency: "CNY"}},
		agreement.Revise{ID: domaintest.Framework, Document: "abc"},
		meeting.Hold{ID: meeting.ID{Agreement: "a", Meeting: "m"}, Attendees: []meeting.Attendee{{Party: "p"}}},
		agreement.Sign{ID: domaintest.Framework, Party: "a", Signatory: strings.Repeat("x", 201), Date: 1, Document: domaintest.Text1},
		project.SetTolerance{ID: domaintest.Base, Amber: -1, Red: 2},
		project.Reforecast{MilestoneID: domaintest.Milestone("m")},
		project.Schedule{ID: domaintest.Base, Title: en, Due: 1, Weight: new(1001), Confirming: []domain.Key{"a"}},
	} {
		c, _, err := catalogue.Command(cmd.Name())
		require.NoError(t, err)
		_, _, decoding := c.Decode(domaintest.Raw(cmd, domain.Meta{}))
		var outside, inside *domain.Rejected
		require.ErrorAs(t, decoding, &outside, "%+v", cmd)
		require.ErrorAs(t, c.Check(cmd, domain.Meta{}), &inside, "%+v", cmd)
		assert.Equal(t, [2]string{outside.Code, outside.Field}, [2]string{inside.Code, inside.Field}, "%+v", cmd)
	}
	c, _, _ := catalogue.Command("report-progress")
	cmd := project.ReportProgress{MilestoneID: domaintest.Milestone("m")}
	assert.NoError(t, c.Check(cmd, domain.Meta{}), "none done is a report")
	assert.Error(t, c.Check(cmd, domain.Meta{Corrects: "x"}))
}

// Decoding never panics, and what it takes it takes again.
func FuzzDecode(f *testing.F) {
	for _, c := range catalogue.Commands() {
		f.Add(c.Name, []byte(`{"agreement":"a","project":"p","milestone":"m","due":"2024-01-01","title":{"en":"T"},"evidence":[]}`))
	}
	f.Add("draft-agreement", []byte(`{"kind":"framework","title":{"en":"\ud83d"},"parties":["a","b"],"term":{"end":"2024-01-01"}}`))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		c, _, err := catalogue.Command(name)
		if err != nil {
			return
		}
		cmd, meta, err := c.Decode(raw)
		if err != nil {
			var r *domain.Rejected
			require.ErrorAs(t, err, &r)
			return
		}
		again, meta2, err := c.Decode(domaintest.Raw(cmd, meta))
		require.NoError(t, err)
		a, _ := json.Marshal([]any{cmd, meta})
		b, _ := json.Marshal([]any{again, meta2})
		assert.True(t, bytes.Equal(a, b), "%s, then %s", a, b)
	})
}
