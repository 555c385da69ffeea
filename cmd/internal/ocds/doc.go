// Package ocds reads release and record packages of the Open Contracting Data
// Standard 1.1 (https://standard.open-contracting.org/1.1/en/) as commands, and
// writes an agreement as a record package.
//
// # Import
//
// What becomes what:
//
//   - each organisation in parties: a party, changed when a later release names
//     it otherwise;
//   - each contract: an agreement between its signatories (where none are
//     listed, the buyer and the award's suppliers), signed by each of them on
//     dateSigned once the contract is published as active or terminated;
//   - the contract's own milestones and those of its implementation: the
//     milestones of one project, with the keys contract-<id> and
//     implementation-<id>, in a first baseline; one without a dueDate is due
//     when the contract ends;
//   - a later release's dueDate: a reforecast; its status met: a claim by the
//     supplying side and the confirmation of the others; partiallyMet and
//     notMet: a judgement;
//   - amendments: amendments with the same rationale and no clauses; from the
//     date that is published on, signed by each party. A term that is published
//     otherwise with them is the agreement's then;
//   - transactions: movements of one fund for each currency, transactions-<code>.
//     The payer commits the amount and disburses it to the project, for the
//     milestone that the transaction names, and it is spent on the payee.
//     Nobody pledges anything, since nothing published says so. Amounts are
//     rounded to the smallest unit of the currency;
//   - agreedMetrics and the metrics of the implementation: indicators of the
//     project, what was agreed as targets, what was observed as actuals, which
//     wait for verification. Measures keep ten digits behind the point;
//   - documents of the contract, of its implementation and of milestones: their
//     own JSON, stored as evidence of the first command in the release that is
//     about the same.
//
// Left out are what comes before a contract (planning, tender, bids, awards but
// for their suppliers), the rest of extensions, what a later release says
// otherwise of a transaction or an amendment, and what is paid under a contract
// that has ended: no funds are disbursed then.
//
// Every command is effective on the release's date, or on the date that was
// published of it, and cites the release (its JSON without insignificant space)
// as evidence; who signs cites the contract or the amendment in the same way,
// whose SHA-256 stands for the document. All of it is stored before the command
// is carried out. The reason of a command that records something says where it
// was published, with which id.
//
// The same package always gives the same commands, and a package with more
// releases gives those and then more, so importing either again adds only what
// is new. Parties that the ledger has already are left as they are.
//
// Civil dates are read in the zone that the publisher wrote them in:
// 2018-03-31T23:59:59-06:00 is 31 March.
//
// # Export
//
// An agreement is one contracting process with one contract. A release is what
// changed on one day of the ledger's time zone, by when it was recorded. So no
// two releases have the same date, and whoever merges them comes to the same;
// and a release never changes, but for that of the last day, whose id changes
// with it. The compiled and the versioned release are their merge by the rules
// of the specification. The releases come from the changes in the read models,
// and the evidence from the log.
//
//   - Ids, the place in the release and the ocid are those of the import where
//     a thing was imported; else they are made of keys, and the ocid of the
//     agreement's key after the publisher's prefix.
//   - dueDate is the agreed date, dateModified the date of the last change.
//   - A disbursement is a transaction, to the lead of its project unless the
//     import knew the payee. The value of the contract is what its funds are to
//     come to.
//   - Targets are agreedMetrics, actuals the metrics of the implementation.
//   - Evidence is documents: an agreement's or amendment's of the contract, a
//     milestone's its own, all other of the implementation. Evidence that is the
//     description of a document, as the import keeps them, is given as that.
//   - Civil dates are written in the ledger's zone, a first day from its first
//     second, a last or due day to its last.
//   - OCDS has no cancelled milestones: they are notMet. Meetings, obligations
//     and mechanisms have no place in it.
package ocds
