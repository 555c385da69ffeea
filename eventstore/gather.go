package eventstore

import "time"

const (
	gatherTimes = 2                      // the longest pause, as a multiple of what the commit took
	gatherPart  = 2                      // a short one, as a part of it
	gatherMost  = 100 * time.Millisecond // either, whatever it took, as when a disk stalls
	gatherShort = 6                      // pauses are short for as many commits at most, as a power of two
	gatherBut   = 8                      // one in so many callers is not waited for
)

// gather says whether more company is worth waiting for. The callers of a shared
// commit come back together, but not at the same instant: without this the first of
// them to return would split the crowd, and each part would pay for a batch of its
// own. The pause follows shared commits only, so a lone writer never meets it. It ends
// when most have come, as a few may have left; and is the shorter, the more have come
// while the commit was under way: those need not wait for the rest. It may be longer
// than the commit was, as callers that come over a network take longer to return.
//
// Callers that do not come back at all are waited for less and less often.
type gather struct {
	company int // appends worth waiting for until end, 0 for none
	end     time.Time
	timer   *time.Timer

	inVain int // how often in a row the long pause was
	short  int // so many pauses are to be short ones
}

// expect is called when a shared commit has landed, of so many appends, while others
// wait already.
func (g *gather) expect(landed, waiting int, took time.Duration) {
	all := landed + waiting
	g.company = all - all/gatherBut
	g.end = time.Now().Add(g.pause(took) * time.Duration(landed) / time.Duration(all))
}

// pause is how long to wait at most, when nobody has come yet.
func (g *gather) pause(took time.Duration) time.Duration {
	if g.short > 0 {
		return min(took/gatherPart, gatherMost)
	}
	return min(took*gatherTimes, gatherMost)
}

// waits says that it is worth waiting for more than are ready, and has then called
// when the pause is over.
func (g *gather) waits(ready int, then func()) bool {
	if g.company == 0 {
		return false
	}
	left := time.Until(g.end)
	if came := ready >= g.company; came || left <= 0 {
		g.learn(came)
		g.company = 0
		return false
	}
	if g.timer == nil {
		g.timer = time.AfterFunc(left, then)
	} else {
		g.timer.Reset(left)
	}
	return true
}

// learn takes in how a pause ended.
func (g *gather) learn(came bool) {
	switch {
	case g.short > 0:
		g.short--
	case came:
		g.inVain = 0
	default:
		g.inVain = min(g.inVain+1, gatherShort)
		g.short = 1 << g.inVain
	}
}
