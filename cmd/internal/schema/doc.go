// Package schema says in JSON Schema what goes into the ledger and what comes
// out of it: the fields that commands take, the events that are stored, and, in
// AsyncAPI, the ways by which events reach those who read them. All of it is
// made from the domain's catalogue and of nothing else.
//
// What a reader of events may rely on:
//
//   - The schema of an event type ([Event]) is of the whole CloudEvent as it is
//     stored. It is of JSON Schema 2020-12 and refers to nothing outside itself.
//     Every event of that type in any ledger holds to it, whichever version
//     wrote it: TestStoredEventsHoldToTheirSchemas.
//   - A schema once published (testdata/published) never changes so that an
//     event or a reader that held to it no longer does: no field goes, none
//     becomes required or optional, none changes its type or form, no listed
//     value goes. TestPublishedSchemasHold refuses it; what needs it is another
//     type, of the next version. Types never go.
//   - What may come is a new optional field, and a new value where some are
//     listed. So the schemas are open: they allow members that they do not name
//     and values that they do not list, and so must readers.
package schema
