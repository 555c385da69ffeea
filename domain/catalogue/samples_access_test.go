package catalogue_test

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

var (
	hook       = webhook.ID{Webhook: "city-ledger"}
	restricted = restriction.Of{Agreement: "framework", Project: "iot-base", Area: "iot"}
)

// accessSamples are of who may do what, and of the programs that read along.
var accessSamples = []domain.Event{
	access.Granted{
		Principal: "li-wei", Grant: "g-1", Called: "李伟", Role: access.Representative, Agreement: "framework", Party: "wuxi",
		Cleared: []string{"project/iot-base", "area/iot"},
	},
	access.Revoked{Principal: "li-wei", Grants: []domain.Key{"g-1", "g-2"}, Tokens: []domain.Key{"t-1"}, Identities: []domain.Key{"i-1"}},
	access.TokenIssued{Principal: "li-wei", Token: "t-1", Hash: document, Label: "laptop", Expires: on},
	access.TokenRevoked{Principal: "li-wei", Token: "t-1"},
	access.IdentityLinked{Principal: "li-wei", Identity: "i-1", Issuer: "https://id.example.org", Subject: "248289761001"},
	access.IdentityUnlinked{Principal: "li-wei", Identity: "i-1"},

	restriction.Imposed{Of: restricted, Since: on},
	restriction.Lifted{Of: restricted},

	subscriber.Added{Subscriber: "warehouse", Agreement: "framework", From: 12, PublicKey: "U" + strings.Repeat("A", 55), Cleared: true},
	subscriber.Revoked{Subscriber: "warehouse", On: on},

	webhook.Registered{
		Webhook: "city-ledger", URL: "https://city.example.org/hook?a=1&b=2", Agreement: "framework", Kinds: []string{"project", "fund"},
		Types: []string{"milepost.project.milestone-met.v1"}, From: 12, Cleared: true,
	},
	webhook.Restarted{ID: hook, From: 7},
	webhook.Disabled{ID: hook},
	webhook.Enabled{ID: hook},
	webhook.SecretRotated{ID: hook},
	webhook.Removed{ID: hook},
}
