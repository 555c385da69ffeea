package projections

import (
	"fmt"
	"os"
	"sync"

	"zombiezen.com/go/sqlite"
)

// blanks are files of read models without a row, one of a ledger and one of a view.
// To make one SQLite reads all statements of the schema, which takes longer than the
// rows of a small ledger do; so it is made once in a process, and copied.
var blanks = map[bool]func() ([]byte, error){
	false: sync.OnceValues(func() ([]byte, error) { return blank(false) }),
	true:  sync.OnceValues(func() ([]byte, error) { return blank(true) }),
}

func blank(view bool) (_ []byte, err error) {
	conn, err := sqlite.OpenConn(":memory:")
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := conn.Close(); err == nil {
			err = e
		}
	}()
	if err := settings(conn, "page_size = 4096"); err != nil {
		return nil, err
	}
	if err := script(conn, createTables(view)+createIndexes()+createViews()+createSnapshots); err != nil {
		return nil, fmt.Errorf("create tables: %w", err)
	}
	return conn.Serialize("main")
}

// createFile makes a file for read models, in the place of one that somebody made
// empty, with the schema and the name of its ledger and no more.
func createFile(path, ledger string, view bool) (*sqlite.Conn, error) {
	content, err := blanks[view]()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, content, ownersAlone); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err = settings(conn, "journal_mode = OFF", "synchronous = OFF"); err == nil {
		err = script(conn, stamp(ledger))
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
