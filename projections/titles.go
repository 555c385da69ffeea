package projections

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// wordsOf are the words of a text: runs of letters and digits, and each
// character by itself where a script does not part words, so that a title is
// found in a sentence in Chinese, too.
func wordsOf(text string) (words []string) {
	from := -1
	end := func(at int) {
		if from >= 0 {
			words = append(words, text[from:at])
			from = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			end(i)
			words = append(words, text[i:i+utf8.RuneLen(r)])
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if from < 0 {
				from = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return words
}

// longestTitle is of how many words a title is known by.
const longestTitle = 24

func titleWords(title string) []string {
	words := wordsOf(title)
	return words[:min(len(words), longestTitle)]
}

// titleID is the id of a title's words.
func titleID(words []string) withheldID { return idOf(append([]string{"title"}, words...)...) }

func keyID(key string) withheldID { return idOf("key", key) }

// foundIn reports whether a text names something withheld, and calls ignored
// with each key, which does not count where it says so.
func (w *withheld) foundIn(text string, ignored func(key string) bool) bool {
	w.mu.RLock()
	lengths := slices.Clone(w.lengths)
	w.mu.RUnlock()
	known := func(id withheldID) bool {
		w.mu.RLock()
		defer w.mu.RUnlock()
		return w.words[id]
	}
	words := wordsOf(text)
	for _, n := range lengths {
		for i := 0; i+n <= len(words); i++ {
			if known(titleID(words[i : i+n])) {
				return true
			}
		}
	}
	return keysIn(escapesGone([]byte(text)), func(key []byte) bool {
		return known(keyID(string(key))) && !ignored(string(key))
	})
}

// escapesGone has no backslash: in a text for people it is only itself.
func escapesGone(b []byte) []byte {
	for i := range b {
		if b[i] == '\\' {
			b[i] = ' '
		}
	}
	return b
}
