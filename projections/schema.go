package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite/sqlitex"

	"zombiezen.com/go/sqlite"
)

// The version of read models has two parts. Whichever grows, they are made anew
// from the log.
//
// schemaVersion is in the file's name. It grows when a table's meaning changes,
// when entities come in another order, which cursors count, when the projector
// cannot go on from former rows, and when former rows show what they must not.
// Files of another schema are not asked.
//
// projectionVersion is in the table meta. It grows when the projector makes other
// rows of the same events, in tables that mean what they meant: files of another
// one serve, and go on, while those of this one are made beside them.
//
// A changed declaration alone is noticed, see [file.judge].
const (
	schemaVersion     = 4
	projectionVersion = 2
)

// The order of tables in the digest.
const (
	orderEntity = iota
	orderEvent
	orderChange
	orderTile
	orderParty
	orderAgreement
	orderProject
	orderMilestone
	orderProgress
	orderMechanism
	orderObligation
	orderAmendment
	orderMeeting
	orderDecision
	orderAction
	orderFund
	orderPledge
	orderCommitment
	orderDisbursement
	orderExpenditure
	orderIndicator
	orderPeriod
	orderGate
	orderAwaiting
	orderWaitlist
	orderKeyring
	orderAccess
	orderGrant
	orderToken
	orderIdentity
	orderRestriction
	orderSubscriber
	orderWebhook
	tables // how many
)

// described is a table of any row type.
type described interface {
	describe() (name string, lead []string, cols []column)
	place() int // in the digest and in a rowBuffer
}

func (t *table[T]) describe() (string, []string, []column) { return t.name, t.lead, t.cols }
func (t *table[T]) place() int                             { return t.order }

var (
	registers = []described{entityTable, eventTable, changeTable, tileTable}
	versioned = []described{
		partyTable, agreementTable, projectTable, milestoneTable, progressTable, mechanismTable, obligationTable,
		amendmentTable, meetingTable, decisionTable, actionTable, fundTable, pledgeTable, commitmentTable, disbursementTable,
		expenditureTable, indicatorTable, periodTable, gateTable, awaitingTable, waitlistTable, keyringTable,
		accessTable, grantTable, tokenTable, identityTable, restrictionTable, subscriberTable, webhookTable,
	}
)

// versionLead are the columns before those of a versioned row: it holds for
// its entity from its sequence until the entity's next row.
var versionLead = []string{"entity", "from_seq"}

// createTables, createIndexes and createViews make the schema.
func createTables(view bool) string {
	var b strings.Builder
	b.WriteString(`CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE position (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, digest BLOB NOT NULL, mark BLOB NOT NULL);
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
`)
	for _, t := range registers {
		name, lead, cols := t.describe()
		fmt.Fprintf(&b, "CREATE TABLE %s (%s INTEGER PRIMARY KEY%s);\n", name, lead[0], columnsSQL(cols))
	}
	for _, t := range versioned {
		name, _, cols := t.describe()
		fmt.Fprintf(&b, "CREATE TABLE %s (entity INTEGER NOT NULL, from_seq INTEGER NOT NULL%s);\n", name, columnsSQL(cols))
	}
	if view {
		b.WriteString(createViewTables)
	}
	return b.String()
}

// stamp says in a new file what it is.
func stamp(ledger string) string {
	return fmt.Sprintf("INSERT INTO meta VALUES ('ledger', '%s'), ('schema', '%s'), ('projection', '%d'), ('states', '%s');\n", ledger, fingerprint(), projectionVersion, states())
}

func columnsSQL(cols []column) string {
	var b strings.Builder
	for _, c := range cols {
		kind := "INTEGER"
		switch c.kind {
		case columnText:
			kind = "TEXT"
		case columnBlob:
			kind = "BLOB"
		}
		fmt.Fprintf(&b, ", %s %s", c.name, kind)
	}
	return b.String()
}

func createIndexes() string {
	var b strings.Builder
	for _, x := range indexes() {
		b.WriteString(x.sql())
	}
	return b.String()
}

// createViews makes what a person reads: texts instead of ids, dates and
// instants as such. <table>_history has every version with the sequences
// [from_seq, to_seq) for which it holds, <table>_now the present one.
func createViews() string {
	var b strings.Builder
	for _, t := range registers {
		name, lead, cols := t.describe()
		fmt.Fprintf(&b, "CREATE VIEW %s_read AS SELECT v.%s%s FROM %s v;\n", name, lead[0], readable(cols), name)
	}
	for _, t := range versioned {
		name, _, cols := t.describe()
		fmt.Fprintf(&b, `CREATE VIEW %s_history AS SELECT e.agreement, e.path, v.from_seq,
  LEAD(v.from_seq) OVER (PARTITION BY v.entity ORDER BY v.from_seq) AS to_seq%s
  FROM %s v JOIN entity e ON e.id = v.entity;
`, name, strings.ReplaceAll(readable(cols), " AS agreement", " AS of_agreement"), name)
		fmt.Fprintf(&b, "CREATE VIEW %s_now AS SELECT * FROM %s_history WHERE to_seq IS NULL;\n", name, name)
	}
	return b.String()
}

func readable(cols []column) string {
	var b strings.Builder
	for _, c := range cols {
		switch {
		case c.kind == columnWord || c.kind == columnJSON:
			fmt.Fprintf(&b, ", (SELECT text FROM word WHERE id = v.%s) AS %s", c.name, c.name)
		case c.kind == columnDate:
			fmt.Fprintf(&b, ", date((v.%s - %d) * 86400, 'unixepoch') AS %s", c.name, unixEpochDay, c.name)
		case c.kind == columnRef:
			fmt.Fprintf(&b, ", (SELECT path FROM entity WHERE id = v.%s) AS %s", c.name, c.name)
		case c.kind == columnBlob:
			fmt.Fprintf(&b, ", lower(hex(v.%s)) AS %s", c.name, c.name)
		case c.name == "recorded_at" || c.name == "at":
			fmt.Fprintf(&b, ", strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', v.%s / 1e6, 'unixepoch') AS %s", c.name, c.name)
		default:
			fmt.Fprintf(&b, ", v.%s", c.name)
		}
	}
	return b.String()
}

const unixEpochDay = 719163 // 1970-01-01 as a domain.Date

// fingerprint names the schema by what it says.
func fingerprint() string {
	sum := sha256.Sum256([]byte(createIndexes() + createViews()))
	return hex.EncodeToString(sum[:8])
}

// script runs statements in one transaction.
func script(conn *sqlite.Conn, sql string) error { return sqlitex.ExecuteScript(conn, sql, nil) }

// settings runs pragmas, which take no transaction.
func settings(conn *sqlite.Conn, pragmas ...string) error {
	for _, s := range pragmas {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+s, nil); err != nil {
			return fmt.Errorf("pragma %s: %w", s, err)
		}
	}
	return nil
}
