package ocds_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// contractSays is a later release that says more of the contract of first.
func contractSays(id, date, members string) string {
	return fmt.Sprintf(`{"ocid":"ocds-1","id":%q,"date":%q,"contracts":[{"id":"7",%s}]}`, id, date, members)
}

// added returns the commands of releases after those of first, without the
// evidence and the actor that all of them have.
func added(t *testing.T, more ...string) (items []ledger.Item) {
	t.Helper()
	n := len(commands(t, releases(first)))
	return commands(t, releases(append([]string{first}, more...)...))[n:]
}

func said(items []ledger.Item) (cmds []domain.Command) {
	for _, i := range items {
		cmds = append(cmds, i.Command)
	}
	return cmds
}

func sha(compact string) domain.Hash {
	sum := sha256.Sum256([]byte(compact))
	return domain.Hash(hex.EncodeToString(sum[:]))
}

func TestAnAmendmentWhoseDateHasComeIsSigned(t *testing.T) {
	id := amendment.ID{Agreement: "ocds-1-7", Amendment: "amendment-1"}
	notice := `{"id":"1","date":"2021-05-01T00:00:00Z","rationale":"Rain","description":"A year more"}`
	propose := amendment.Propose{
		Agreement: id.Agreement, Amendment: id.Amendment, Title: domain.Text{"en": "A year more"}, Rationale: domain.Text{"en": "Rain"}, Party: "gov-1",
		Document: sha(notice), Term: domain.Period{Start: domain.MustDate("2020-01-12"), End: domain.MustDate("2023-01-11")},
	}
	signs := []domain.Command{
		amendment.Sign{ID: id, Party: "gov-1", Signatory: "Mayor", Date: domain.MustDate("2021-05-01"), Document: sha(notice)},
		amendment.Sign{ID: id, Party: "acme", Signatory: "Acme", Date: domain.MustDate("2021-05-01"), Document: sha(notice)},
	}
	says := `"period":{"endDate":"2023-01-11T00:00:00Z"},"amendments":[` + strings.ReplaceAll(notice, `,"`, `, "`) + `]`

	// given a release on the day, then it has taken effect
	items := added(t, contractSays("2", "2021-05-01T00:00:00Z", says))
	require.Equal(t, append([]domain.Command{propose}, signs...), said(items))
	require.Contains(t, items[0].Meta.Evidence, sha(notice))
	require.Equal(t, "other", items[0].Meta.Reason)
	require.Equal(t, "Published in contracts/amendments with the id 1", items[0].Meta.Note)

	// given one before, then it is proposed, and signed when a later one repeats it
	early := contractSays("2", "2021-04-01T00:00:00Z", says)
	require.Equal(t, []domain.Command{propose}, said(added(t, early)))
	require.Equal(t, append([]domain.Command{propose}, signs...), said(added(t, early, contractSays("3", "2021-06-01T00:00:00Z", says))))
}

func TestATransactionIsCommittedPaidAndSpent(t *testing.T) {
	id := fund.ID{Agreement: "ocds-1-7", Fund: "transactions-cny"}
	value := domain.Money{Amount: "1500.1", Currency: "CNY"}
	transaction := `"implementation":{"transactions":[{"id":"T 1","date":"2020-02-01T00:00:00Z","value":{"amount":1500.0999999999,"currency":"CNY"},
		"payer":{"id":"GOV-1","name":"City"},"payee":{"id":"SUB","name":"Roofers"},"relatedImplementationMilestone":{"id":"1"}}]}`
	paid := contractSays("2", "2020-03-01T00:00:00Z", `"value":{"amount":2e6,"currency":"CNY"},`+transaction)
	items := added(t, paid)
	key := domain.Key("t-1-c69f0dcd")
	require.Equal(t, []domain.Command{
		fund.Propose{Agreement: "ocds-1-7", Fund: "transactions-cny", Title: domain.Text{"en": "Transactions in CNY"}},
		fund.Establish{ID: id, Currency: "CNY", TargetSize: "2000000", Manager: "gov-1"},
		fund.Commit{ID: id, Commitment: key, Party: "gov-1", Value: value},
		fund.Disburse{ID: id, Disbursement: key, Commitment: key, Project: "contract-7", Milestone: "implementation-1", Value: value},
	}, said(items)[:4])
	require.Equal(t, "register-party", items[4].Command.Name())
	require.Equal(t, fund.RecordExpenditure{ID: id, Expenditure: key, Disbursement: key, Title: domain.Text{"en": "Roofers"}, Value: value}, items[5].Command)
	for _, i := range []int{0, 1, 2, 3, 5} {
		require.Equal(t, domain.MustDate("2020-02-01"), items[i].Meta.Effective)
	}
	require.Equal(t, "Published in contracts/implementation/transactions with the id T 1", items[3].Meta.Reason)

	// said again, nothing is added
	require.Len(t, added(t, paid, strings.Replace(paid, `"id":"2"`, `"id":"3"`, 1)), 6)
}

func TestATransactionBeforeTheContractIsInEffectWaits(t *testing.T) {
	pending := strings.Replace(first, `"status":"active","dateSigned":"2020-01-10T00:00:00Z"`, `"status":"pending"`, 1)
	paid := contractSays("2", "2020-02-01T00:00:00Z", `"implementation":{"transactions":[{"id":"1","value":{"amount":1,"currency":"CNY"},"payer":{"id":"GOV-1"}}]}`)
	count := func(name string, list ...string) (n int) {
		for _, i := range commands(t, releases(list...)) {
			if i.Command.Name() == name {
				n++
			}
		}
		return n
	}
	require.Zero(t, count("disburse-funds", pending, paid))
	require.Equal(t, 1, count("disburse-funds", pending, paid, contractSays("3", "2020-03-01T00:00:00Z", `"status":"active","dateSigned":"2020-02-20T00:00:00Z"`)))

	// nor is anything paid under one that has ended
	ended := contractSays("2", "2020-02-01T00:00:00Z", `"status":"terminated"`)
	late := contractSays("3", "2020-03-01T00:00:00Z", `"implementation":{"transactions":[{"id":"1","value":{"amount":1,"currency":"CNY"},"payer":{"id":"GOV-1"}}]}`)
	require.Zero(t, count("disburse-funds", first, ended, late))
}

func TestMetricsAreIndicatorsWithTargetsAndActuals(t *testing.T) {
	observed := func(id, month, measure string) string {
		return fmt.Sprintf(`{"id":%q,"period":{"startDate":"2020-%[2]s-01T00:00:00Z","endDate":"2020-%[2]s-30T00:00:00Z"},"measure":%[3]s,"unit":{"name":"homes"},"dimensions":{"region":"north"}}`, id, month, measure)
	}
	says := `"agreedMetrics":[{"id":"Homes","title":"Homes reached","observations":[` + observed("t", "06", `"300"`) + `]}],
		"implementation":{"metrics":[{"id":"Homes","observations":[` + observed("a", "06", `28.000000000000004`) + `,` +
		strings.Replace(observed("s", "06", `"9"`), "north", "south", 1) + `]}]}`
	items := added(t, contractSays("2", "2020-07-01T00:00:00Z", says))
	north := indicator.PeriodID{Agreement: "ocds-1-7", Indicator: "homes", Period: "2020-06"}
	require.Equal(t, "homes", string(items[0].Command.Ref().Key))
	define := indicator.Define{
		Agreement: "ocds-1-7", Indicator: "homes", Title: domain.Text{"en": "Homes reached"}, Level: "output", Measure: "unit", Unit: "homes",
		Beneficiary: "gov-1", Reporter: "acme", Project: "contract-7",
	}
	require.Equal(t, []domain.Command{
		define, indicator.SetTarget{PeriodID: north, Value: "300"}, indicator.ReportActual{PeriodID: north, Party: "acme", Value: "28"},
	}, said(items)[:3])
	south := items[3].Command.(indicator.Define)
	require.NotEqual(t, define.Indicator, south.Indicator)
	require.Equal(t, domain.Text{"en": "Homes (region: south)"}, south.Title)

	// said again, only what is otherwise is reported
	again := contractSays("3", "2020-08-01T00:00:00Z", strings.Replace(says, "28.000000000000004", "29", 1))
	require.Equal(t, []domain.Command{indicator.ReportActual{PeriodID: north, Party: "acme", Value: "29"}},
		said(added(t, contractSays("2", "2020-07-01T00:00:00Z", says), again)[5:]))

	// words are those of a qualitative indicator, an amount is in its currency
	items = added(t, contractSays("2", "2020-07-01T00:00:00Z", `"agreedMetrics":[
		{"id":"q","observations":[{"id":"1","measure":"Everybody is content"}]},
		{"id":"v","observations":[{"id":"1","value":{"amount":5,"currency":"CNY"}}]}]`))
	require.Equal(t, indicator.Qualitative, items[0].Command.(indicator.Define).Measure)
	require.Equal(t, domain.Text{"en": "Everybody is content"}, items[1].Command.(indicator.SetTarget).Statement)
	require.Equal(t, indicator.ReportingPeriod("2020-07-01--2020-07-01"), items[1].Command.(indicator.SetTarget).Period)
	require.Equal(t, "CNY", items[2].Command.(indicator.Define).Unit)
	require.Equal(t, domain.Decimal("5"), items[3].Command.(indicator.SetTarget).Value)
}

func TestWhatACommandCitesIsKeptBeforeIt(t *testing.T) {
	notice, minutes, report := `{"id":"n","title":"Notice"}`, `{"id":"m","title":"Minutes"}`, `{"id":"r","title":"Report"}`
	second := contractSays("2", "2020-07-01T00:00:00Z", `"status":"terminated","documents":[ `+notice+`],
		"implementation":{"documents":[`+report+`],"milestones":[{"id":"1","status":"notMet","documents":[`+minutes+`]}],
		"transactions":[{"id":"1","value":{"amount":1,"currency":"CNY"},"payer":{"id":"GOV-1"}}]}`)
	seq, err := ocds.Commands(strings.NewReader(releases(first, second)), nil)
	require.NoError(t, err)
	require.NotNil(t, seq)

	kept := map[domain.Hash]string{}
	seq, err = ocds.Commands(strings.NewReader(releases(first, second)), func(name domain.Hash, content []byte) error {
		require.Equal(t, name, sha(string(content)))
		kept[name] = string(content)
		return nil
	})
	require.NoError(t, err)
	cited := map[string]string{}
	for item := range seq {
		for _, hash := range item.Meta.Evidence {
			require.Contains(t, kept, hash)
			if text := kept[hash]; len(text) < 100 {
				cited[text] = item.Command.Name()
			}
		}
	}
	require.Equal(t, map[string]string{notice: "terminate-agreement", minutes: "judge-milestone", report: "propose-fund"}, cited)

	// a store that fails ends the import where the command would have stood
	seq, err = ocds.Commands(strings.NewReader(releases(first)), func(domain.Hash, []byte) error { return fmt.Errorf("disk full") })
	require.NoError(t, err)
	n := 0
	for item := range seq {
		n++
		require.ErrorContains(t, item.Err, "disk full")
		require.Equal(t, 1, item.Line)
	}
	require.Equal(t, 1, n)
}

func TestAContractThatCannotBeRecordedIsRefusedByName(t *testing.T) {
	transaction := func(members string) string { return `"implementation":{"transactions":[{` + members + `}]}` }
	const value = `"value":{"amount":1,"currency":"CNY"}`
	for _, c := range []struct{ name, says, code, field string }{
		{"a transaction without id", transaction(value), domain.CodeMissingField, "implementation.transactions[0].id"},
		{"without value", transaction(`"id":"1"`), domain.CodeMissingField, "implementation.transactions[0].value"},
		{"without payer", transaction(`"id":"1",` + value), domain.CodeMissingField, "implementation.transactions[0].payer"},
		{"of nothing", transaction(`"id":"1","value":{"amount":0.001,"currency":"CNY"}`), domain.CodeInvalidAmount, "implementation.transactions[0].value.amount"},
		{"a refund", transaction(`"id":"1","value":{"amount":-5,"currency":"CNY"}`), domain.CodeInvalidAmount, "implementation.transactions[0].value.amount"},
		{"too much", transaction(`"id":"1","value":{"amount":1e999999999,"currency":"CNY"}`), domain.CodeInvalidValue, "implementation.transactions[0].value.amount"},
		{"an amount in words", transaction(`"id":"1","value":{"amount":"abc","currency":"CNY"}`), domain.CodeInvalidValue, "implementation.transactions[0].value.amount"},
		{"in no currency", transaction(`"id":"1","value":{"amount":1,"currency":"XXX"}`), domain.CodeInvalidValue, "implementation.transactions[0].value.currency"},
		{"on no day", transaction(`"id":"1","date":"2020-02-30T00:00:00Z","payer":{"id":"GOV-1"},` + value), domain.CodeInvalidValue, "implementation.transactions[0].date"},
		{"an amendment on no day", `"amendments":[{"id":"1","date":"soon"}]`, domain.CodeInvalidValue, "amendments[0].date"},
		{"a metric without id", `"agreedMetrics":[{"title":"x"}]`, domain.CodeMissingField, "agreedMetrics[0].id"},
		{"a period that ends before it begins", `"agreedMetrics":[{"id":"1","observations":[{"id":"1","measure":1,"period":{"startDate":"2020-02-02","endDate":"2020-02-01"}}]}]`,
			domain.CodeInvalidValue, "agreedMetrics[0].observations[0].period.endDate"},
		{"words among numbers", `"implementation":{"metrics":[{"id":"1","observations":[{"id":"1","measure":1},{"id":"2","measure":"many"}]}]}`,
			domain.CodeInvalidValue, "implementation.metrics[0].observations[1].measure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ocds.Commands(strings.NewReader(releases(first, contractSays("2", "2020-03-01T00:00:00Z", c.says))), forget)
			var r *domain.Rejected
			require.ErrorAs(t, err, &r)
			require.Equal(t, c.code, r.Code, r.Message)
			require.Equal(t, "releases[1].contracts[0]."+c.field, r.Field)
		})
	}
}
