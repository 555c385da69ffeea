// Package ocds reads release and record packages of the Open Contracting Data
// Standard 1.1 (https://standard.open-contracting.org/1.1/en/) as commands.
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
//     notMet: a judgement.
//
// Every command is effective on the release's date and cites the SHA-256 of the
// release (its JSON without insignificant space) as evidence. The same package
// always gives the same commands, and a package with more releases gives those
// and then more, so importing either again adds only what is new. Parties that
// the ledger has already are left as they are.
//
// Civil dates are read in the zone that the publisher wrote them in:
// 2018-03-31T23:59:59-06:00 is 31 March.
package ocds
