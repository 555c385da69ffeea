// Package projections holds the read models: what the log says, in SQLite
// tables that answer questions. Everything in them comes from the log and can
// be made again from it.
//
// What is guaranteed:
//
//   - Rows are only ever inserted. A version of a row holds from its sequence
//     until the next version of its entity, so every question is asked as of a
//     [Point], and now is only the last one. An answer costs the same however
//     much was written after its point (TestAsOfEqualsARebuildUpToThere).
//   - A point may also say a date: what is effective by then of what an
//     agreement's events up to it say, in the order of their effective dates. Its
//     answers are those of a log in which they were recorded in that order
//     (TestTheEffectiveAxisEqualsALogInThatOrder), but for sequences and times of
//     recording, which stay. A version counts the events that an answer is of.
//   - The position commits with the rows of the events up to it. The next
//     sequence is always the last plus one, and an event's version that of its
//     aggregate plus one; anything else, and an event that is not understood,
//     stops the projector before it ([GapError], [VersionError], [EventError]).
//   - Nobody gets a short answer: models that have not reached a point refuse
//     with a [BehindError]. One question sees one moment of the file.
//   - Changes are the difference of an aggregate's states before and after an
//     event, so no event type and no field can be forgotten; applied to the
//     fields as of one point they give those as of another
//     (TestChangesLeadFromOnePointToTheOther).
//   - A digest covers every row ever written, see [Position] and digest.go. Two
//     ledgers that were told the same have the same digest; a rebuild has that
//     of the models it replaces, or says from which sequence on it has not.
//   - The Merkle trees of the log (RFC 6962), one of the ledger and one of each
//     agreement, have every size that they ever had. A proof is made of hashes
//     that were checked against the tree that the asker names, or not at all
//     ([Models.ProveInclusion], TestTreesAreThoseOfTheLog).
//   - A replay folds the log again beside the read models, uses nothing of theirs,
//     and says that they are what the log gives or names the first event and
//     entity that differ ([Models.Replay]).
//   - The read models of a view ([View]) hold nothing of what it withholds: they
//     are made by the same projector from the same log, past the withheld events,
//     and answer as those of a ledger that never had them, but for the gaps in
//     sequences and versions (TestAViewIsALedgerWithoutWhatItWithholds). What is
//     restricted after a view has shown it has the view made anew, and until then
//     it answers nothing. See withhold.go for what is withheld, [Views] for how
//     they are opened and closed.
//
// Beside the read models a file has snapshots: the state of each aggregate as of one of
// its events, with which the write path begins ([Models.Past],
// TestASnapshotAndWhatCameLaterGiveTheState). They answer nothing, are in no digest, and
// are believed only as they were written; a replay compares each with what the log gives.
// See snapshots.go.
//
// What rows there are is declared in rows.go: for each kind of aggregate its
// own row, those of its parts, and what waits for a party in it. Sums of money
// and of results are exact decimals.
//
// A file belongs to one ledger and one schema; it is named by its schema
// version and a generation, and bears that name only when it is complete. A
// new file is loaded beside the old one, with no journal and its indexes last,
// and takes its place at the very sequence that this is at, while questions go on:
// none is refused, and none is shown less than was shown before
// (TestReadModelsOfAFormerVersionServeUntilThereAreNewOnes). What fails leaves the
// old one serving, and so does a kill at any step (TestKilledAtAnyStepOfABuild);
// [Models.Build] says why. Files of a former version serve until [Models.Renew] has
// made new ones; meanwhile they have what that version made of the events that it
// saw, and what this one makes of those since. Files of a schema that this program
// cannot ask stay until there are others. See build.go. Whoever opens a file with
// the sqlite3 tool finds the views <table>_now and <table>_history with texts
// and dates in place of ids and day numbers.
//
// One goroutine projects ([Models.Follow]), one renews ([Models.Renew]), any number
// ask.
package projections
