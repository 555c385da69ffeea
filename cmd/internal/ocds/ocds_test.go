package ocds_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// forget keeps no evidence, for tests that look at commands only.
func forget(domain.Hash, []byte) error { return nil }

// keepIn keeps evidence in a store, as the API does.
func keepIn(t *testing.T, store *eventstore.Store) ocds.Keep {
	return func(name domain.Hash, content []byte) error {
		_, err := store.PutEvidence(t.Context(), bytes.NewReader(content), string(name))
		return err
	}
}

func commands(t *testing.T, text string) []ledger.Item {
	t.Helper()
	seq, err := ocds.Commands(strings.NewReader(text), forget)
	require.NoError(t, err)
	var items []ledger.Item
	for item := range seq {
		require.NoError(t, item.Err)
		items = append(items, item)
	}
	return items
}

// first is a release of a signed contract with one milestone of each kind.
const first = `{"ocid":"ocds-1","id":"1","date":"2020-01-15T00:00:00+08:00","language":"en",
 "parties":[{"id":"GOV-1","name":"City","roles":["buyer"],"contactPoint":{"name":"Mayor"}},{"id":"ACME","name":"Acme","roles":["supplier"]}],
 "contracts":[{"id":"7","title":"Works","status":"active","dateSigned":"2020-01-10T00:00:00Z","period":{"startDate":"2020-01-12T00:00:00Z","endDate":"2022-01-11T00:00:00Z"},
  "signatories":[{"id":"GOV-1","name":"City"},{"id":"ACME","name":"Acme"}],
  "milestones":[{"id":"1","title":"Money","type":"financial","status":"scheduled","dueDate":"2020-03-01T23:59:59-06:00"}],
  "implementation":{"milestones":[{"id":1,"title":"Roof","type":"delivery","status":"scheduled","dueDate":"2020-06-30T00:00:00Z"}]}}]}`

func later(id, date, milestone string) string {
	return fmt.Sprintf(`{"ocid":"ocds-1","id":%q,"date":%q,"contracts":[{"id":"7","implementation":{"milestones":[%s]}}]}`, id, date, milestone)
}

func releases(list ...string) string {
	return `{"publisher":{"name":"City of Tests"},"releases":[` + strings.Join(list, ",") + `]}`
}

func TestAContractBecomesAnAgreementWithOneProject(t *testing.T) {
	var got []string
	for _, item := range commands(t, releases(first)) {
		got = append(got, item.Command.Name()+" "+item.Command.Ref().Path()+" "+item.Meta.Effective.String())
		require.Equal(t, "City of Tests", item.Meta.Actor)
		require.NotEmpty(t, item.Meta.Evidence)
		require.Equal(t, 1, item.Line)
	}
	require.Equal(t, []string{
		"register-party party/gov-1 2020-01-15",
		"register-party party/acme 2020-01-15",
		"draft-agreement agreement/ocds-1-7 2020-01-10",
		"add-area agreement/ocds-1-7 2020-01-10",
		"propose-project project/contract-7 2020-01-10",
		"approve-project project/contract-7 2020-01-10",
		"open-consultation agreement/ocds-1-7 2020-01-10",
		"sign-agreement agreement/ocds-1-7 2020-01-10",
		"sign-agreement agreement/ocds-1-7 2020-01-10",
		"start-project project/contract-7 2020-01-12",
		"schedule-milestone project/contract-7 2020-01-15",
		"schedule-milestone project/contract-7 2020-01-15",
		"approve-baseline project/contract-7 2020-01-15",
	}, got)
}

func TestALaterReleaseBecomesWhatChanged(t *testing.T) {
	id := project.MilestoneID{Agreement: "ocds-1-7", Project: "contract-7", Milestone: "implementation-1"}
	for _, c := range []struct {
		name, milestone string
		want            []domain.Command
	}{
		{"nothing new", `{"id":"1","status":"scheduled","dueDate":"2020-06-30T00:00:00Z"}`, nil},
		{"another date", `{"id":"1","dueDate":"2020-07-31T23:59:59-06:00"}`, []domain.Command{project.Reforecast{MilestoneID: id, Forecast: domain.MustDate("2020-07-31")}}},
		{"met", `{"id":"1","status":"met","dateMet":"2020-06-10T00:00:00-06:00"}`, []domain.Command{
			project.Claim{MilestoneID: id, Party: "acme", MetOn: domain.MustDate("2020-06-10")}, project.Confirm{MilestoneID: id, Party: "gov-1"}}},
		{"met, it says not when", `{"id":"1","status":"met"}`, []domain.Command{
			project.Claim{MilestoneID: id, Party: "acme", MetOn: domain.MustDate("2020-07-01")}, project.Confirm{MilestoneID: id, Party: "gov-1"}}},
		{"not met", `{"id":"1","status":"notMet"}`, []domain.Command{project.Judge{MilestoneID: id, Outcome: "not-met"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := len(commands(t, releases(first)))
			items := commands(t, releases(later("2", "2020-07-01T00:00:00Z", c.milestone), first)) // in any order in the file
			var got []domain.Command
			for _, item := range items[n:] {
				require.Equal(t, 2, item.Line)
				require.Equal(t, domain.MustDate("2020-07-01"), item.Meta.Effective)
				got = append(got, item.Command)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestAPackageThatCannotBeReadIsRefusedByName(t *testing.T) {
	for _, c := range []struct{ name, text, code, field string }{
		{"not JSON", `{"releases":[`, domain.CodeMalformed, ""},
		{"a list", `[]`, domain.CodeMalformed, ""},
		{"something else", `{"command":"register-party"}`, ocds.CodeNotOCDS, ""},
		{"a number for a text", releases(`{"ocid":"o","date":"2020-01-01T00:00:00Z","contracts":[{"id":"1","title":5}]}`), domain.CodeInvalidValue, "releases[0]"},
		{"no ocid", releases(`{"date":"2020-01-01T00:00:00Z"}`), domain.CodeMissingField, "releases[0].ocid"},
		{"a date that does not exist", releases(`{"ocid":"o","date":"2020-02-30T00:00:00Z"}`), domain.CodeInvalidValue, "releases[0].date"},
		{"nobody signed", releases(`{"ocid":"o","date":"2020-01-01T00:00:00Z","contracts":[{"id":"1"}]}`), domain.CodeMissingField, "releases[0].contracts[0].signatories"},
		{"a milestone without a date", releases(strings.Replace(first, `,"endDate":"2022-01-11T00:00:00Z"`, "", 1), later("2", "2020-07-01T00:00:00Z", `{"id":"9","title":"New"}`)), domain.CodeMissingField, "releases[1].contracts[0].implementation.milestones[0].dueDate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ocds.Commands(strings.NewReader(c.text), forget)
			var r *domain.Rejected
			require.ErrorAs(t, err, &r)
			require.Equal(t, c.code, r.Code, r.Message)
			require.Equal(t, c.field, r.Field)
			require.NotContains(t, r.Message, "Go ", "it speaks of the package, not of this program")
		})
	}
}

func TestKeysOfIdentifiers(t *testing.T) {
	ids := func(city, group string) []domain.Key {
		var keys []domain.Key
		for _, item := range commands(t, releases(strings.NewReplacer("GOV-1", city, "ACME", group).Replace(first))) {
			if c, ok := item.Command.(party.Register); ok {
				require.True(t, c.Party.Valid(), c.Party)
				keys = append(keys, c.Party)
			}
		}
		return keys
	}
	require.Equal(t, []domain.Key{"gov-1", "acme"}, ids("GOV-1", "ACME"))
	for _, pair := range [][2]string{{"无锡市", "中电海康"}, {"GB-1.2", "GB-1-2"}, {strings.Repeat("a", 90) + "1", strings.Repeat("a", 90) + "2"}, {"--", "---"}} {
		keys := ids(pair[0], pair[1])
		require.Len(t, keys, 2)
		require.NotEqual(t, keys[0], keys[1])
		require.Equal(t, keys, ids(pair[0], pair[1]))
	}
}

func openLedger(t *testing.T) (*ledger.Ledger, *eventstore.Store) {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return ledger.New(store, ledger.Options{Name: "main"}), store
}

func imports(t *testing.T, l *ledger.Ledger, store *eventstore.Store, text string) (ledger.Summary, error) {
	t.Helper()
	items, err := ocds.Commands(strings.NewReader(text), keepIn(t, store))
	require.NoError(t, err)
	return l.Import(t.Context(), items, nil)
}

func TestAContractSignedLaterTakesEffectThen(t *testing.T) {
	l, store := openLedger(t)
	pending := strings.Replace(first, `"status":"active","dateSigned":"2020-01-10T00:00:00Z"`, `"status":"pending"`, 1)
	_, err := imports(t, l, store, releases(pending))
	require.NoError(t, err)
	require.Equal(t, agreement.StatusDrafted, state(t, store, agreement.Ref("ocds-1-7")).(*agreement.State).State)

	signed := `{"ocid":"ocds-1","id":"2","date":"2020-03-01T00:00:00Z","contracts":[{"id":"7","status":"active","dateSigned":"2020-02-20T00:00:00Z"}]}`
	sum, err := imports(t, l, store, releases(pending, signed))
	require.NoError(t, err)
	require.Positive(t, sum.Skipped)
	a := state(t, store, agreement.Ref("ocds-1-7")).(*agreement.State)
	require.Equal(t, agreement.StatusActive, a.State)
	require.Equal(t, domain.MustDate("2020-02-20"), a.EffectiveOn)
	require.Equal(t, 1, state(t, store, project.Ref("ocds-1-7", "contract-7")).(*project.State).Baseline)
}

func TestTwoPackagesShareAParty(t *testing.T) {
	l, store := openLedger(t)
	_, err := imports(t, l, store, releases(first))
	require.NoError(t, err)
	sum, err := imports(t, l, store, releases(strings.ReplaceAll(first, "ocds-1", "ocds-2")))
	require.NoError(t, err)
	require.Equal(t, 2, sum.Skipped)
}

func TestAReleasePutRightIsTakenUpWhereItStopped(t *testing.T) {
	l, store := openLedger(t)
	// given a release that is refused half way: it says that a milestone was met in the future
	bad := later("2", "2020-07-01T00:00:00Z", `{"id":"1","status":"met","dateMet":"2999-01-01T00:00:00Z"}`)
	sum, err := imports(t, l, store, releases(first, bad))
	var line *ledger.LineError
	require.ErrorAs(t, err, &line)
	require.Equal(t, 2, line.Line)
	// when it is put right, then only what is new is added, though the hash of the release is another
	sum, err = imports(t, l, store, releases(first, strings.Replace(bad, "2999-01-01", "2020-06-20", 1)))
	require.NoError(t, err)
	require.Equal(t, 2, sum.Commands)
}

// state folds what the log holds of one aggregate.
func state(t *testing.T, store *eventstore.Store, ref domain.Ref) any {
	t.Helper()
	kind, _ := catalogue.Aggregate(ref.Kind)
	var s any
	for rec, err := range store.Read(t.Context(), 1, 0, "") {
		require.NoError(t, err)
		env, event, err := catalogue.Decode(rec.Data)
		require.NoError(t, err)
		if env.Ref == ref {
			s = kind.Evolve(s, event)
		}
	}
	require.NotNil(t, s, ref)
	return s
}

func TestTheCorpusPackageIsImportedOnce(t *testing.T) {
	corpus := os.Getenv("MILEPOST_CORPUS")
	if corpus == "" {
		t.Skip("MILEPOST_CORPUS is not set: it names the folder with ocds/ppp-record-package.json")
	}
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	l := ledger.New(store, ledger.Options{Name: "main"})
	imports := func() (ledger.Summary, error) {
		f, err := os.Open(filepath.Join(corpus, "ocds", "ppp-record-package.json"))
		require.NoError(t, err)
		defer func() { _ = f.Close() }() // only read
		items, err := ocds.Commands(f, keepIn(t, store))
		require.NoError(t, err)
		return l.Import(t.Context(), items, nil)
	}

	sum, err := imports()
	require.NoError(t, err)
	require.Equal(t, 8, sum.Lines)
	again, err := imports()
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 8, Skipped: sum.Commands}, again)

	// one agreement, signed by four, in effect since the last signature, its term
	// extended by the amendment that they signed too
	key := domain.Key("ocds-213czf-example-ppp-1")
	a := state(t, store, agreement.Ref(key)).(*agreement.State)
	require.Equal(t, agreement.StatusActive, a.State)
	require.Equal(t, domain.MustDate("2016-01-24"), a.EffectiveOn)
	require.Equal(t, 4, a.Signatures.Len())
	require.Equal(t, domain.MustDate("2046-01-23"), a.Term.End)
	am := state(t, store, amendment.Ref(key, "amendment-1")).(*amendment.State)
	require.Equal(t, amendment.InEffect, am.State)
	require.Equal(t, domain.MustDate("2020-01-24"), am.EffectiveOn)
	require.Equal(t, am.Document, a.Document)

	// one project of eight milestones, two of them met
	p := state(t, store, project.Ref(key, "contract-1")).(*project.State)
	require.Equal(t, project.StatusImplementation, p.State)
	require.Equal(t, 8, p.Milestones.Len())
	met := map[domain.Key]string{}
	for key, m := range p.Milestones.All() {
		if m.State == project.Met {
			met[key] = m.MetOn.String()
		}
	}
	require.Equal(t, map[domain.Key]string{"implementation-7": "2017-04-01", "implementation-1": "2018-03-10"}, met)

	// eleven payments, the first of them for a milestone
	f := state(t, store, fund.Ref(key, "transactions-usd")).(*fund.State)
	require.Equal(t, 11, f.Disbursements.Len())
	require.Equal(t, 11, f.Expenditures.Len())
	var paid domain.Decimal
	for _, d := range f.Disbursements.All() {
		paid = paid.Add(d.Amount)
	}
	require.Equal(t, domain.Decimal("1100000"), paid)
	first, ok := f.Disbursements.Get("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3")
	require.True(t, ok)
	require.Equal(t, domain.Key("implementation-7"), first.Milestone)

	// one indicator with the targets that were agreed and what was reached
	i := state(t, store, indicator.Ref(key, "coveragenational")).(*indicator.State)
	require.Equal(t, indicator.Percentage, i.Measure)
	targets, actuals := 0, 0
	for _, period := range i.Periods.All() {
		if period.Target != "" {
			targets++
		}
		if period.State == indicator.Reported {
			actuals++
		}
	}
	require.Equal(t, [2]int{6, 13}, [2]int{targets, actuals})

	// and the consortium under the name it took later
	require.Equal(t, "Mega Consortium Ltd", state(t, store, party.Ref("mega")).(*party.State).Title["en"])
}
