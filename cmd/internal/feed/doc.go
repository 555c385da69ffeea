// Package feed is the one way in which tools read events: those which the read
// models of a view show, from any sequence on, and then live.
//
// [Feed.Follow] yields chunks. What it guarantees, and TestFollow_* show:
//   - Each event that the models show and the filter matches comes once, in the
//     order of sequences, as the bytes that the log has. An event is yielded only
//     when the models show it, so whoever hears of one can ask about it.
//   - A chunk says up to which sequence everything was looked at, also when
//     nothing matched. Whoever keeps that and comes back with it misses nothing and
//     repeats nothing, whatever came between.
//   - A reader never holds up another, nor the models: one that is slow falls
//     behind, and catches up by queries of its own.
//
// One goroutine for each Models reads what is new, once, and hands it to all
// readers that are at the tail, so a commit costs one query however many listen.
// That goroutine runs while there are readers; when the last call of Follow has
// returned, it is gone.
package feed
