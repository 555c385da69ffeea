package bulk

import "cmp"

// numbers is an entry of one or two numbers, of which the second is else 0, and its
// rowid.
type numbers [rowidPlace + 1]int64

// rowidPlace is where the rowid stands.
const rowidPlace = 2

func compareNumbers(a, b numbers) int {
	switch { // it runs many times for each entry
	case a[0] != b[0]:
		return cmp.Compare(a[0], b[0])
	case a[1] != b[1]:
		return cmp.Compare(a[1], b[1])
	}
	return cmp.Compare(a[2], b[2])
}

// sortNumbers sorts entries with as much room beside them, and returns the sorted ones
// and what is then the room. Each pass puts them in the order of one byte of a column,
// and leaves those that have the same one as they were: so the last column comes first,
// and of each the lowest byte. A column whose numbers are in order takes no pass, and
// rows come in the order of their rowids and mostly of their sequences: this takes a
// fraction of the time that comparing takes.
func sortNumbers(entries, room []numbers) (sorted, rest []numbers) {
	for column := rowidPlace; column >= 0; column-- {
		least, most, inOrder := entries[0][column], entries[0][column], true
		for i := range entries {
			n := entries[i][column]
			inOrder = inOrder && n >= most
			least, most = min(least, n), max(most, n)
		}
		if inOrder {
			continue
		}
		for shift := 0; (uint64(most)-uint64(least))>>shift > 0; shift += 8 {
			sortByte(entries, room, column, least, shift)
			entries, room = room, entries
		}
	}
	return entries, room
}

// sortByte puts entries into room in the order of the byte at shift of what a column
// has more than least.
func sortByte(entries, room []numbers, column int, least int64, shift int) {
	var places [256]int // where the next entry with each byte goes
	of := func(e *numbers) byte { return byte((uint64(e[column]) - uint64(least)) >> shift) }
	for i := range entries {
		places[of(&entries[i])]++
	}
	at := 0
	for i, n := range places {
		places[i] = at
		at += n
	}
	for i := range entries {
		to := &places[of(&entries[i])]
		room[*to] = entries[i]
		*to++
	}
}
