package chart

import (
	"strings"
	"unicode"
)

// textWidth estimates how wide s is, rather too wide than too narrow: which
// fonts a reader has, nobody here knows.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		w += runeWidth(r)
	}
	return w * size
}

// runeWidth is in parts of the size of the text.
func runeWidth(r rune) float64 {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1f000: // emoji, and the rarer ideographs
		return 1.35
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6:
		return 1
	case strings.ContainsRune("mwMWOQG@%&…—\u2013", r):
		return 0.98
	case strings.ContainsRune(" iljI.,:;'|!/-·", r):
		return 0.35
	case strings.ContainsRune("ftr()[]", r):
		return 0.42
	case strings.ContainsRune("sczkvxyJLEFST", r):
		return 0.61
	case unicode.IsUpper(r):
		return 0.74
	case r < 0x250: // Latin letters and digits
		return 0.64
	case r < 0x700: // Greek, Cyrillic, Hebrew, Arabic
		return 0.8
	}
	return 1.1
}

// elide cuts s to the room that there is, and says how wide it is then.
func elide(s string, size, room float64) (string, float64) {
	const dots = "…"
	s = strings.TrimSpace(clean(s))
	w, fits := 0.0, 0 // fits: how much of s there is room for with the dots behind it
	widthThen := 0.0
	for i, r := range s {
		if w+textWidth(dots, size) <= room && runeWidth(r) > 0 { // never between a letter and its accent
			fits, widthThen = i, w
		}
		if w += runeWidth(r) * size; w > room {
			if fits == 0 {
				return "", 0
			}
			cut := strings.TrimRight(s[:fits], " ")
			return cut + dots, widthThen + textWidth(dots, size)
		}
	}
	return s, w
}
