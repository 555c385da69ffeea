package domaintest

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

// Access draws commands about who may do what, what is restricted, and the
// programs that read along.
var Access = within(func(t *rapid.T) asks {
	return rapid.SampledFrom([]asks{ofPrincipal(t), ofPrincipal(t), ofRestriction(t), ofSubscriber(t), ofWebhook(t)}).Draw(t, "of")
})

// wide draws the key of an agreement, or "" for the whole ledger.
var wide = rapid.SampledFrom([]domain.Key{"", "framework", "framework", "second"})

func ofPrincipal(t *rapid.T) asks {
	principal := rapid.SampledFrom([]domain.Key{"li-wei", "li-wei", "robot"}).Draw(t, "principal")
	key := func(label string) domain.Key {
		return rapid.SampledFrom([]domain.Key{"one", "two", "three", "four"}).Draw(t, label)
	}
	grant := func() domain.Command {
		c := access.GrantAccess{
			Principal: principal, Grant: key("grant"), Called: rapid.SampledFrom([]string{"", "李伟"}).Draw(t, "name"),
			Role:      rapid.SampledFrom([]string{access.Viewer, access.Representative, access.Coordinator, access.Admin}).Draw(t, "role"),
			Agreement: wide.Draw(t, "agreement"), Party: rapid.SampledFrom([]domain.Key{"", City, Group}).Draw(t, "party"),
		}
		if c.Agreement != "" && rapid.Bool().Draw(t, "cleared") {
			c.Cleared = []string{"project/" + string(projects.Draw(t, "project"))}
		}
		return c
	}
	issue := func() domain.Command {
		return access.IssueToken{
			Principal: principal, Token: key("token"), Hash: rapid.SampledFrom([]domain.Hash{Text1, Text2, File}).Draw(t, "hash"),
			Label:   rapid.SampledFrom([]string{"", "laptop"}).Draw(t, "label"),
			Expires: rapid.SampledFrom([]domain.Date{0, Today, Today + 30, Today + 400}).Draw(t, "expires"),
		}
	}
	link := func() domain.Command {
		return access.LinkIdentity{
			Principal: principal, Identity: key("identity"), Issuer: "https://id.example.org",
			Subject: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "subject"),
		}
	}
	return asks{
		grant, grant, issue, issue, link,
		func() domain.Command { return access.RevokeAccess{Principal: principal, Grant: key("grant")} },
		func() domain.Command { return access.RevokeToken{Principal: principal, Token: key("token")} },
		func() domain.Command { return access.UnlinkIdentity{Principal: principal, Identity: key("identity")} },
		func() domain.Command {
			if rapid.IntRange(0, 3).Draw(t, "everything") > 0 { // else nothing lives for long
				return grant()
			}
			return access.RevokeAccess{Principal: principal}
		},
	}
}

func ofRestriction(t *rapid.T) asks {
	of := restriction.Of{Agreement: agreements.Draw(t, "agreement")}
	if rapid.Bool().Draw(t, "area") {
		of.Area = areas.Draw(t, "area")
	} else {
		of.Project = projects.Draw(t, "project")
	}
	return asks{
		func() domain.Command { return restriction.Restrict{Of: of} },
		func() domain.Command { return restriction.Lift{Of: of} },
	}
}

func ofSubscriber(t *rapid.T) asks {
	key := rapid.SampledFrom([]domain.Key{"warehouse", "mirror"}).Draw(t, "subscriber")
	return asks{
		func() domain.Command {
			return subscriber.Add{
				Subscriber: key, Agreement: wide.Draw(t, "agreement"), From: rapid.Uint64Range(0, 9).Draw(t, "from"),
				PublicKey: "U" + strings.Repeat(rapid.SampledFrom([]string{"A", "B", "7"}).Draw(t, "key"), 55), Cleared: rapid.Bool().Draw(t, "cleared"),
			}
		},
		func() domain.Command { return subscriber.Revoke{Subscriber: key} },
	}
}

func ofWebhook(t *rapid.T) asks {
	id := webhook.ID{Webhook: rapid.SampledFrom([]domain.Key{"hook", "hook", "other"}).Draw(t, "webhook")}
	register := func() domain.Command {
		c := webhook.Register{
			Webhook: id.Webhook, URL: "https://example.org/hook", Agreement: wide.Draw(t, "agreement"),
			From: rapid.Uint64Range(0, 9).Draw(t, "from"), Cleared: rapid.Bool().Draw(t, "cleared"),
		}
		if rapid.Bool().Draw(t, "some") {
			c.Kinds, c.Types = []string{"project", "fund"}, []string{"milepost.project.milestone-met.v1"}
		}
		return c
	}
	return asks{
		register, register,
		func() domain.Command {
			return webhook.Redeliver{ID: id, From: rapid.Uint64Range(1, 9).Draw(t, "from")}
		},
		func() domain.Command { return webhook.Disable{ID: id} },
		func() domain.Command { return webhook.Enable{ID: id} },
		func() domain.Command { return webhook.RotateSecret{ID: id} },
		func() domain.Command {
			if rapid.IntRange(0, 3).Draw(t, "for good") > 0 {
				return register()
			}
			return webhook.Remove{ID: id}
		},
	}
}
