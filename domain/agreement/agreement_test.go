package agreement_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
)

var (
	day    = domain.MustDate
	reason = domain.Meta{Reason: "talks"}
)

func draft(key domain.Key) agreement.Draft {
	return agreement.Draft{Agreement: key, Kind: agreement.KindFramework, Title: En("Framework"), Parties: []domain.Key{City, Group}, Document: Text1}
}

func TestDraft(t *testing.T) {
	cmd := draft("framework")
	cmd.Term = domain.Period{Start: day("2017-02-28")}
	Given(t, Parties()...).When(cmd).Then(agreement.Drafted{
		ID: Framework, Kind: cmd.Kind, Title: cmd.Title, Parties: cmd.Parties, Document: Text1, Term: cmd.Term,
	}).When(cmd).Refused(domain.CodeAlreadyExists, "agreement")

	for name, c := range map[string]struct {
		change      func(*agreement.Draft)
		code, field string
	}{
		"no key":                  {func(c *agreement.Draft) { c.Agreement = "" }, domain.CodeMissingField, "agreement"},
		"a party twice":           {func(c *agreement.Draft) { c.Parties = []domain.Key{City, City} }, domain.CodeInvalidValue, "parties"},
		"a party alone":           {func(c *agreement.Draft) { c.Parties = []domain.Key{City} }, domain.CodeInvalidValue, "parties"},
		"an unknown party":        {func(c *agreement.Draft) { c.Parties = []domain.Key{City, "nobody"} }, domain.CodeNotFound, "parties"},
		"a subsidiary of nothing": {func(c *agreement.Draft) { c.Kind = agreement.KindSubsidiary }, domain.CodeMissingField, "parent"},
		"a supplement to nothing": {func(c *agreement.Draft) { c.Kind = agreement.KindSupplement }, domain.CodeMissingField, "parent"},
		"an unknown parent":       {func(c *agreement.Draft) { c.Parent = "none" }, domain.CodeNotFound, "parent"},
		"an unknown predecessor":  {func(c *agreement.Draft) { c.Renews = "none" }, domain.CodeNotFound, "renews"},
		"a term turned round":     {func(c *agreement.Draft) { c.Term = domain.Period{Start: 9, End: 8} }, domain.CodeInvalidValue, "term.end"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := draft("another")
			c.change(&cmd)
			Given(t, Drafted()...).When(cmd).Refused(c.code, c.field)
		})
	}
	assert.Equal(t, domain.Key("drawn"), draft("").WithKey("drawn").(agreement.Draft).Agreement)
}

func TestDraftUnderAParentThatItDoesNotRenew(t *testing.T) {
	cmd := draft("second")
	cmd.Kind, cmd.Parent, cmd.Renews = agreement.KindSubsidiary, "framework", "framework"
	s := Given(t, Active()...).When(cmd).Accepted()
	a := StateOf[agreement.State](s, agreement.Ref("second"))
	assert.Equal(t, []domain.Key{"framework", "framework"}, []domain.Key{a.Parent, a.Renews})
}

func TestRevise(t *testing.T) {
	signed := append(UnderConsultation(), SignedBy(City, "2017-02-27"))
	t.Run("another document voids the signatures", func(t *testing.T) {
		s := Given(t, signed...).When(agreement.Revise{ID: Framework, Document: Text2}).
			Then(agreement.DraftRevised{ID: Framework, Document: Text2, Voided: []domain.Key{City}})
		again := agreement.Signed{ID: Framework, Party: City, Signatory: "Mayor", Date: day("2017-03-01"), Document: Text2}
		s.When(agreement.Sign(again)).Then(again)
	})
	t.Run("so do other parties", func(t *testing.T) {
		Given(t, signed...).When(agreement.Revise{ID: Framework, Parties: []domain.Key{City, Stranger}}).
			Then(agreement.DraftRevised{ID: Framework, Parties: []domain.Key{City, Stranger}, Voided: []domain.Key{City}})
	})
	t.Run("a title does not", func(t *testing.T) {
		Given(t, signed...).When(agreement.Revise{ID: Framework, Title: En("Other")}).
			Then(agreement.DraftRevised{ID: Framework, Title: En("Other")})
	})
	Given(t, signed...).When(agreement.Revise{ID: Framework, Document: Text1}).Refused(domain.CodeNothingChanged, "")
	Given(t, signed...).When(agreement.Revise{ID: Framework, Parties: []domain.Key{City}}).Refused(domain.CodeInvalidValue, "parties")
	Given(t, signed...).When(agreement.Revise{ID: Framework, Renews: "none"}).Refused(domain.CodeNotFound, "renews")
	Given(t, signed...).When(agreement.Revise{ID: Framework, Renews: "framework"}).Refused(domain.CodeInvalidValue, "renews")
	Given(t, Active()...).When(agreement.Revise{ID: Framework, Document: Text2}).Refused(domain.CodeWrongState, "agreement")
	Given(t).When(agreement.Revise{ID: Framework, Document: Text2}).Refused(domain.CodeNotFound, "agreement")
}

func TestOpenConsultation(t *testing.T) {
	Given(t, Drafted()...).When(agreement.OpenConsultation{ID: Framework}).Then(agreement.ConsultationOpened{ID: Framework}).
		When(agreement.OpenConsultation{ID: Framework}).Refused(domain.CodeWrongState, "agreement")
	Given(t, agreement.Drafted{ID: Framework}).When(agreement.OpenConsultation{ID: Framework}).Refused(domain.CodeMissingField, "document")
}

// Invariant 2: it takes effect only when each required party signed one document.
func TestSign(t *testing.T) {
	city, group := SignedBy(City, "2017-02-28"), SignedBy(Group, "2017-02-27")
	t.Run("the last signature puts it into effect on the latest date", func(t *testing.T) {
		s := Given(t, UnderConsultation()...).
			When(agreement.Sign(city)).Then(city).
			When(agreement.Sign(group)).Then(group, agreement.TookEffect{ID: Framework, On: day("2017-02-28")})
		a := StateOf[agreement.State](s, Framework.Ref())
		assert.Equal(t, agreement.StatusActive, a.State)
		assert.Equal(t, day("2017-02-28"), a.EffectiveOn)
		s.When(agreement.Sign(city)).Refused(agreement.CodeAlreadySigned, "party")
	})
	for name, c := range map[string]struct {
		change      func(*agreement.Sign)
		meta        domain.Meta
		code, field string
	}{
		"another document":       {func(c *agreement.Sign) { c.Document = Text2 }, domain.Meta{}, agreement.CodeHashMismatch, "document"},
		"no party of it":         {func(c *agreement.Sign) { c.Party = Stranger }, domain.Meta{}, domain.CodeWrongParty, "party"},
		"for another party":      {func(*agreement.Sign) {}, domain.Meta{ActingFor: City}, domain.CodeWrongParty, "party"},
		"in the future":          {func(c *agreement.Sign) { c.Date = Today + 1 }, domain.Meta{}, domain.CodeFutureDate, "date"},
		"a second time":          {func(c *agreement.Sign) { c.Party = City }, domain.Meta{}, agreement.CodeAlreadySigned, "party"},
		"by nobody":              {func(c *agreement.Sign) { c.Signatory = "" }, domain.Meta{}, domain.CodeMissingField, "signatory"},
		"an agreement not there": {func(c *agreement.Sign) { c.Agreement = "none" }, domain.Meta{}, domain.CodeNotFound, "agreement"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := agreement.Sign(group)
			c.change(&cmd)
			s := Given(t, UnderConsultation()...).And(city)
			s.When(cmd, c.meta).Refused(c.code, c.field)
			assert.Zero(t, StateOf[agreement.State](s, Framework.Ref()).EffectiveOn)
		})
	}
	Given(t, UnderConsultation()...).When(agreement.Sign(city), domain.Meta{ActingFor: City}).Accepted()
	Given(t, Drafted()...).When(agreement.Sign(city)).Refused(domain.CodeWrongState, "agreement")
}

func TestLifeCycle(t *testing.T) {
	given := func() *Scenario { return Given(t, Active()...) }
	given().When(agreement.Suspend{ID: Framework}).Refused(domain.CodeReasonRequired, "reason")
	suspended := given().When(agreement.Suspend{ID: Framework}, reason).Then(agreement.Suspended{ID: Framework})
	suspended.When(agreement.Suspend{ID: Framework}, reason).Refused(domain.CodeWrongState, "agreement")
	suspended.When(agreement.Complete{ID: Framework}).Refused(domain.CodeWrongState, "agreement")
	suspended.When(agreement.Resume{ID: Framework}).Then(agreement.Resumed{ID: Framework}).
		When(agreement.Resume{ID: Framework}).Refused(domain.CodeWrongState, "agreement")

	given().When(agreement.Terminate{ID: Framework}).Refused(domain.CodeReasonRequired, "reason")
	ended := given().When(agreement.Terminate{ID: Framework}, domain.Meta{Reason: "breach", Effective: day("2024-12-31")}).
		Then(agreement.Terminated{ID: Framework, On: day("2024-12-31")})
	ended.When(agreement.Resume{ID: Framework}).Refused(domain.CodeWrongState, "agreement")
	given().When(agreement.Complete{ID: Framework}).Then(agreement.Completed{ID: Framework, On: Today})

	given().On("2025-02-27").When(agreement.Expire{ID: Framework}).Refused(agreement.CodeNotYet, "agreement")
	given().On("2025-02-28").When(agreement.Expire{ID: Framework}).Then(agreement.Expired{ID: Framework, On: day("2025-02-27")})
	Given(t, agreement.Drafted{ID: Framework}, agreement.TookEffect{ID: Framework, On: 1}).
		When(agreement.Expire{ID: Framework}).Refused(agreement.CodeNotYet, "agreement")

	for _, cmd := range []domain.Command{
		agreement.Suspend{ID: Framework}, agreement.Terminate{ID: Framework}, agreement.Complete{ID: Framework},
		agreement.Expire{ID: Framework}, agreement.Renew{ID: Framework, By: "other"}, agreement.Resume{ID: Framework},
	} {
		Given(t, UnderConsultation()...).When(cmd, reason).Refused(domain.CodeWrongState, "agreement")
		Given(t).When(cmd, reason).Refused(domain.CodeNotFound, "agreement")
	}
}

func TestRenew(t *testing.T) {
	renew := agreement.Renew{ID: Framework, By: "deepened"}
	by := agreement.ID{Agreement: "deepened"}
	s := Given(t, Active()...)
	s.When(renew).Refused(domain.CodeNotFound, "by")
	s.And(agreement.Drafted{ID: by}).When(renew).Refused(domain.CodeInvalidValue, "by")
	s.And(agreement.DraftRevised{ID: by, Renews: "framework"}).When(renew).Refused(agreement.CodeNotYet, "by")
	s.And(agreement.TookEffect{ID: by, On: day("2022-11-02")}).When(renew).
		Then(agreement.Renewed{ID: Framework, By: "deepened", On: day("2022-11-02")})
	a := StateOf[agreement.State](s, Framework.Ref())
	assert.Equal(t, domain.Key("deepened"), a.RenewedBy)
	assert.Equal(t, agreement.StatusRenewed, a.State)
	assert.Equal(t, day("2022-11-02"), a.EndedOn)
}

func TestAreas(t *testing.T) {
	add := agreement.AddArea{ID: Framework, Area: "sensors", Title: En("Sensors"), Parent: "iot"}
	retire := func(area domain.Key) agreement.RetireArea { return agreement.RetireArea{ID: Framework, Area: area} }
	s := Given(t, Drafted()...).When(add).Then(agreement.AreaAdded(add))
	s.When(add).Refused(domain.CodeAlreadyExists, "area")
	s.When(agreement.AddArea{ID: Framework, Area: "x", Title: En("X"), Parent: "none"}).Refused(domain.CodeNotFound, "parent")
	s.When(agreement.AddArea{ID: Framework, Title: En("X")}).Refused(domain.CodeMissingField, "area")
	s.When(retire("none")).Refused(domain.CodeNotFound, "area")
	s.When(retire("iot")).Refused(agreement.CodeAreaInUse, "area")
	s.When(retire("sensors")).Then(agreement.AreaRetired{ID: Framework, Area: "sensors"}).
		When(retire("iot")).Accepted()
	s.When(retire("iot")).Refused(domain.CodeNothingChanged, "area")
	s.When(agreement.AddArea{ID: Framework, Area: "x", Title: En("X"), Parent: "iot"}).Refused(domain.CodeWrongState, "parent")

	Given(t, append(Active(), agreement.Completed{ID: Framework, On: Today})...).When(add).Refused(domain.CodeWrongState, "agreement")
	Given(t).When(add).Refused(domain.CodeNotFound, "agreement")
	Given(t).When(retire("iot")).Refused(domain.CodeNotFound, "agreement")
	assert.Equal(t, domain.Key("drawn"), agreement.AddArea{}.WithKey("drawn").(agreement.AddArea).Area)
}

func TestPriorCooperation(t *testing.T) {
	cmd := agreement.RecordPrior{ID: Framework, Entry: "first", Title: En("First joint laboratory"), Date: "199X"}
	s := Given(t, Active()...).When(cmd).Then(agreement.PriorCooperationRecorded(cmd))
	cmd.Date = "1994"
	s.When(cmd).Refused(domain.CodeAlreadyExists, "entry")
	s.When(cmd, domain.Meta{Corrects: "01890a5d-ac96-774b-bcce-b302099a8057"}).Accepted()
	entry, _ := StateOf[agreement.State](s, Framework.Ref()).Prior.Get("first")
	assert.Equal(t, domain.EDTF("1994"), entry.Date)

	cmd.Date = "in the nineties"
	s.When(cmd).Refused(domain.CodeInvalidValue, "date")
	s.When(agreement.RecordPrior{ID: Framework, Title: En("X"), Date: "1994"}).Refused(domain.CodeMissingField, "entry")
	Given(t).When(agreement.RecordPrior{ID: Framework, Entry: "e", Title: En("X"), Date: "1994"}).Refused(domain.CodeNotFound, "agreement")
	assert.Equal(t, domain.Key("drawn"), agreement.RecordPrior{}.WithKey("drawn").(agreement.RecordPrior).Entry)
}

func TestFirstProjectIsTheEarliest(t *testing.T) {
	s := Given(t, append(Active(),
		agreement.ProjectStarted{ID: Framework, Project: "b", On: day("2019-01-01")},
		agreement.ProjectStarted{ID: Framework, Project: "a", On: day("2018-01-01")},
		agreement.ProjectStarted{ID: Framework, Project: "c", On: day("2020-01-01")})...)
	a := StateOf[agreement.State](s, Framework.Ref())
	assert.Equal(t, day("2018-01-01"), a.FirstProjectOn)
	assert.Equal(t, 3, a.ProjectsStarted)
}

// By effective date, what follows a draft may come before it.
func TestEventsOutOfOrder(t *testing.T) {
	s := Given(t, agreement.TookEffect{ID: Framework, On: 9}, agreement.AreaRetired{ID: Framework, Area: "iot"}).And(Drafted()...)
	a := StateOf[agreement.State](s, Framework.Ref())
	assert.Equal(t, agreement.StatusActive, a.State)
	area, _ := a.Areas.Get("iot")
	assert.Equal(t, agreement.Area{Title: En("Internet of Things"), Retired: true}, area)
}
