package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
)

var (
	ofParty, ofPartyNext   = domaintest.KeyNumber("witness.cethik.example", 1), domaintest.KeyNumber("witness.cethik.example", 2)
	ofLedger, ofLedgerNext = domaintest.KeyNumber("ledger.wuxi.example", 1), domaintest.KeyNumber("ledger.wuxi.example", 2)
)

var keySamples = []domain.Event{
	party.WitnessRegistered{Party: "cethik", Key: ofParty.VerifierKey},
	party.WitnessRotated{Party: "cethik", Old: ofParty.VerifierKey, Key: ofPartyNext.VerifierKey, Statement: ofParty.HandOver(ofPartyNext)},
	party.WitnessRetired{Party: "cethik", Key: ofParty.VerifierKey},
	keyring.KeyRotated{Old: ofLedger.VerifierKey, Key: ofLedgerNext.VerifierKey, Statement: ofLedger.HandOver(ofLedgerNext)},
}
