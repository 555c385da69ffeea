package projections

// SelectChangesOf lets a test look at its plan.
const SelectChangesOf = selectChangesOf
