package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// organisation says by which OpenID provider people may sign in.
type organisation struct {
	provider   signin.Provider
	secretFile string
}

func (o *organisation) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.provider.Issuer, "oidc-issuer", "", "`URL` of an OpenID provider by which people may sign in")
	flags.StringVar(&o.provider.ClientID, "oidc-client-id", "", "`name` of this server there")
	flags.StringVar(&o.secretFile, "oidc-client-secret-file", "", "`file` of the secret that goes with it; none for a public client")
	flags.StringVar(&o.provider.Claim, "oidc-claim", "sub", "`claim` by which identities are linked to principals; email only counts where the provider has verified it")
	flags.StringVar(&o.provider.Redirect, "oidc-redirect-url", "", "`URL` of /sign-in/oidc/callback as browsers know it (default by --listen or --behind-proxy)")
}

// callback is where the provider sends people back to.
const callback = "/sign-in/oidc/callback"

// prepare reads and checks what the flags name, before anything is opened.
func (o *organisation) prepare() error {
	p := &o.provider
	if p.Issuer == "" {
		if p.ClientID != "" || o.secretFile != "" || p.Redirect != "" {
			return usagef("--oidc-issuer: name the provider that the other --oidc flags are for")
		}
		return nil
	}
	if o.secretFile != "" {
		b, err := os.ReadFile(o.secretFile)
		if err != nil {
			return fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		p.Secret = strings.TrimSpace(string(b))
	}
	if err := p.Check(); err != nil {
		return usagef("--oidc-%v", err) // it begins with what follows in the name of the flag
	}
	return nil
}

// at returns the provider of a server that browsers know by base, nil when there
// is none.
func (o *organisation) at(base string) *signin.Provider {
	if o.provider.Issuer == "" {
		return nil
	}
	o.provider.Redirect = cmp.Or(o.provider.Redirect, base+callback)
	return &o.provider
}
