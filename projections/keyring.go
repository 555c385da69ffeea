package projections

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
)

// Keyring is what the log says of the keys with which the ledger signs, as of a
// point: nothing before the first rotation. The first key is only as good as
// its source outside the log.
type Keyring struct {
	First     domain.VerifierKey `json:"first"`
	Current   domain.VerifierKey `json:"current"`
	Rotations []Rotation         `json:"rotations"` // from the first key to the current one
}

// Rotation is how a key came to replace another; domain.VerifyRotation proves it.
type Rotation struct {
	Seq       uint64             `json:"seq" sql:"-"` // of its event
	Old       domain.VerifierKey `json:"old" sql:"text"`
	Key       domain.VerifierKey `json:"key" sql:"text"`
	Statement domain.SignedNote  `json:"statement" sql:"text"`
}

// keyringTable has the last rotation as of its sequence, so its history is all
// of them.
var keyringTable = newTable[Rotation](orderKeyring, "keyring", versionLead...)

func rotationOf(s *keyring.State) *Rotation {
	return &Rotation{Old: s.Former[len(s.Former)-1], Key: s.Current, Statement: s.Statement}
}

// Keyring returns the ledger's keys.
func (m *Models) Keyring(ctx context.Context, at Point) (k Keyring, err error) {
	k.Rotations = []Rotation{}
	err = m.read(ctx, at, func(q *query) error {
		e, ok, err := q.entity("", keyring.Ref().Path())
		if err != nil || !ok {
			return err
		}
		return each(q.conn, rotationsSQL, []any{e.id, at.Seq}, func(stmt *sqlite.Stmt) (bool, error) {
			r := Rotation{Seq: uint64(stmt.ColumnInt64(0))}
			_, err := keyringTable.scan(stmt, 1, &r, q.words)
			k.Rotations = append(k.Rotations, r)
			return err == nil, err
		})
	})
	if n := len(k.Rotations); n > 0 {
		k.First, k.Current = k.Rotations[0].Old, k.Rotations[n-1].Key
	}
	return k, err
}

var rotationsSQL = "SELECT v.from_seq, " + keyringTable.fields + " FROM keyring v WHERE v.entity = ? AND v.from_seq <= ? ORDER BY v.from_seq"
