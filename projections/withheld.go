package projections

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// withheld is what a view withholds: entities by agreement and path, and the
// words by which people would name them. It is kept in the view's file, so that
// following goes on from there, and only as hashes: no byte of the file says what
// is not in the view.
//
// The projector writes to it, whoever asks reads it. It only ever grows.
type withheld struct {
	restricted []domain.Key // agreements of which something is withheld

	mu       sync.RWMutex
	entities map[withheldID]bool
	keys     map[int64]bool      // of the entities: most events name none of them
	words    map[withheldID]bool // keys and titles
	lengths  []int               // of the titles, in words
}

// withheldID is the beginning of a SHA-256.
type withheldID [16]byte

func idOf(parts ...string) (id withheldID) {
	var room [256]byte
	b := room[:0]
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// entity names one.
type withheldEntity struct {
	agreement domain.Key
	path      string
}

func (e withheldEntity) id() withheldID { return idOf("entity", string(e.agreement), e.path) }

func (e withheldEntity) key() int64 { return textHash(string(keyOf(e.path))) }

func newWithheld(v View) *withheld {
	w := &withheld{entities: map[withheldID]bool{}, keys: map[int64]bool{}, words: map[withheldID]bool{}}
	for _, r := range v.Restricted {
		if !slices.Contains(w.restricted, r.Agreement) {
			w.restricted = append(w.restricted, r.Agreement)
		}
	}
	return w
}

// restrictedEntities are those that a view names.
func (v View) restrictedEntities() (all []withheldEntity) {
	for _, r := range v.canonical().Restricted {
		switch {
		case r.Project != "":
			all = append(all, withheldEntity{r.Agreement, "project/" + string(r.Project)})
		case r.Area != "":
			all = append(all, withheldEntity{r.Agreement, agreementPart(r.Agreement, "area/"+string(r.Area))})
		}
	}
	return all
}

// has reports whether an entity, or what it is a part of, is withheld.
func (w *withheld) has(agreement domain.Key, path string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.entities[withheldEntity{agreement, path}.id()]
}

// hasKey reports whether an entity of that key may be withheld.
func (w *withheld) hasKey(key string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.keys[textHash(key)]
}

// none reports whether no entity is withheld.
func (w *withheld) none() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.entities) == 0
}

// mayName reports whether data might name something withheld.
func (w *withheld) mayName(data []byte) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.keys) == 0 {
		return false
	}
	return keysIn(data, func(key []byte) bool {
		return w.keys[textHash(key)]
	})
}

// add notes an entity, and returns whether it is new.
func (w *withheld) add(id withheldID, key int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.entities[id] {
		return false
	}
	w.entities[id], w.keys[key] = true, true
	return true
}

// addWords notes the id of so many words, and returns whether it is new. 0 words
// are a key.
func (w *withheld) addWords(id withheldID, n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.words[id] {
		return false
	}
	w.words[id] = true
	if n > 0 && !slices.Contains(w.lengths, n) {
		w.lengths = append(w.lengths, n)
	}
	return true
}

// createViewTables makes the tables that only the file of a view has. They are
// no part of the digest, as what they say is no part of any answer.
const createViewTables = `CREATE TABLE withheld (id BLOB PRIMARY KEY, key INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE withheld_word (id BLOB PRIMARY KEY, words INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE evidence (hash BLOB PRIMARY KEY) WITHOUT ROWID;
`

const (
	insertWithheld     = "INSERT OR IGNORE INTO withheld (key, id) VALUES (?, ?)"
	insertWithheldWord = "INSERT OR IGNORE INTO withheld_word (words, id) VALUES (?, ?)"
	insertEvidence     = "INSERT OR IGNORE INTO evidence (hash) VALUES (?)"
)

// readWithheld reads what the file of a view says that it withholds; one that is
// new says nothing yet.
func readWithheld(conn *sqlite.Conn, v View, fresh bool) (*withheld, error) {
	w := newWithheld(v)
	if fresh {
		return w, nil
	}
	err := each(conn, "SELECT id, key FROM withheld", nil, func(stmt *sqlite.Stmt) (bool, error) {
		var id withheldID
		stmt.ColumnBytes(0, id[:])
		w.add(id, stmt.ColumnInt64(1))
		return true, nil
	})
	if err == nil {
		err = each(conn, "SELECT id, words FROM withheld_word", nil, func(stmt *sqlite.Stmt) (bool, error) {
			var id withheldID
			stmt.ColumnBytes(0, id[:])
			w.addWords(id, stmt.ColumnInt(1))
			return true, nil
		})
	}
	if err == nil {
		for _, e := range v.restrictedEntities() {
			if !w.has(e.agreement, e.path) {
				return nil, fmt.Errorf("projections: the file does not know that %s is withheld: remove it to have it made again", e.path)
			}
		}
	}
	return w, err
}
