package projections

// Visited lets a test count the rows that an answer cost.
func (c *Changes) Visited() int { return c.visited }
