package projections

import (
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
)

// Every text that may repeat stands once in the table word, and rows hold its
// id. A word is never changed and never removed, so both directions may be
// cached for as long as the file lives.

// wordRow is a word.
type wordRow struct {
	Text string `json:"text" sql:"text"`
}

var wordTable = newTable[wordRow](wordRows, "word", "id")

// wordWriter gives ids to texts. The projector owns it.
type wordWriter struct {
	ids   map[string]int64
	last  int64 // greatest id given; 0 before the first look
	whole bool  // ids holds every word there is: the load of a new file
}

// maxWords bounds the cache of a projector that follows.
const maxWords = 1 << 18

func newWordWriter(whole bool) *wordWriter {
	return &wordWriter{ids: make(map[string]int64), whole: whole}
}

// bound empties a cache that has grown too large. It must not be called while
// rows wait to be written: they may hold words that only the cache knows.
func (w *wordWriter) bound() {
	if len(w.ids) >= maxWords && !w.whole {
		clear(w.ids)
	}
}

// word returns the id of text, which is not empty.
func (p *projector) word(text string) (int64, error) {
	w := p.words
	if id, ok := w.ids[text]; ok {
		return id, nil
	}
	if !w.whole {
		id, ok, err := selectInt(p.conn, "SELECT id FROM word WHERE text = ?", text)
		if err != nil {
			return 0, fmt.Errorf("look up a word: %w", err)
		}
		if ok {
			w.ids[text] = id
			return id, nil
		}
		if w.last == 0 {
			if w.last, _, err = selectInt(p.conn, "SELECT coalesce(max(id), 0) FROM word"); err != nil {
				return 0, fmt.Errorf("last word: %w", err)
			}
		}
	}
	w.last++
	w.ids[text] = w.last
	p.out.add(wordRows, wordTable.insert, []cell{{kind: columnText, s: text}}, w.last)
	return w.last, nil
}

// textCache remembers texts by id for the readers of one file: words, or paths
// of entities. Neither ever changes, and it holds only what was read from
// committed rows.
type textCache struct {
	mu    sync.RWMutex
	texts map[int64]string
}

// wordReader finds the texts of ids on one connection.
type wordReader struct {
	conn  *sqlite.Conn
	cache *textCache
}

func (w wordReader) text(id int64) (string, error) {
	return w.cache.get(w.conn, "SELECT text FROM word WHERE id = ?", id)
}

// get finds the text of an id, by the query when it is not remembered.
func (c *textCache) get(conn *sqlite.Conn, query string, id int64) (s string, err error) {
	c.mu.RLock()
	s, ok := c.texts[id]
	c.mu.RUnlock()
	if ok {
		return s, nil
	}
	err = each(conn, query, []any{id}, func(stmt *sqlite.Stmt) (bool, error) {
		s, ok = stmt.ColumnText(0), true
		return false, nil
	})
	if err != nil || !ok {
		return "", errors.Join(err, fmt.Errorf("there is no text with id %d", id))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.texts) >= maxWords || c.texts == nil {
		c.texts = make(map[int64]string)
	}
	c.texts[id] = s
	return s, nil
}
