//go:build !linux

package projections

// shortTurns is what only Linux can do.
func shortTurns() (end func()) { return func() {} }
