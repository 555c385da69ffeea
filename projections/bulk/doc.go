// Package bulk fills tables and indexes of a SQLite file that are empty, without
// SQLite: it writes the pages of their B-trees one after the other, which takes a
// fraction of the time that inserting and sorting take. SQLite makes the schema,
// and reads what was written as if it had written it.
//
// What it relies on is the file format that SQLite documents and promises to keep
// (https://www.sqlite.org/fileformat2.html). It knows as much of it as it needs:
// UTF-8, no reserved bytes, no auto-vacuum, tables with a rowid, rows in its
// order, indexes in ascending order by the collation BINARY. [Open] refuses a file
// that is not so.
//
// Nobody may have a transaction open on the file meanwhile. Until [File.Close]
// has returned without an error the file is worth nothing.
//
// The tests hold files of random rows against PRAGMA integrity_check and against
// what SQLite itself writes.
package bulk
