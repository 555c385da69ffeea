package chart

// Internals that the tests hold what is drawn against.
var (
	TextWidth = textWidth
	Elide     = elide
	Spread    = spread
	Round     = round
)
