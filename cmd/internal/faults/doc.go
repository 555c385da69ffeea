// Package faults breaks the ledger on purpose, as real machines do, and holds it
// to its word: nothing that was acknowledged is lost or doubled, nothing torn is
// shown, and damage is found and named. It is nothing but tests, of real
// processes: the program, external NATS servers, and disks that fill up, fail
// and lose their power.
//
// Each fault is a test that can be run by its name. Long ones read MILEPOST_FAULTS:
//
//	MILEPOST_FAULTS=short   some minutes for all of them, as .ci/run does
//	MILEPOST_FAULTS=long    as often and for as long as it takes to believe it
//
// Without it they are left out, and say so.
package faults
