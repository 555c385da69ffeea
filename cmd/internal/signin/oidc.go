package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Provider is an organisation that says who somebody is, by OpenID Connect.
type Provider struct {
	Issuer   string // its address, as in the claim iss
	ClientID string
	Secret   string // "" for a public client, which PKCE alone protects
	Redirect string // address of /sign-in/oidc/callback as browsers know it
	Claim    string // by which a principal's identities are told, "sub" when ""

	mu    sync.Mutex
	found *oidc.Provider // asked for at the first sign-in: the server starts without it
}

// providerTime bounds each question to the provider.
const providerTime = 10 * time.Second

// Check refuses what no provider could answer; the error begins with which it is. Where browsers know the server is
// not looked at while it is "".
func (p *Provider) Check() error {
	switch {
	case !private(p.Issuer):
		return fmt.Errorf("issuer %q: want an https address, or one of this machine", p.Issuer)
	case p.Redirect != "" && !private(p.Redirect):
		return fmt.Errorf("redirect-url %q: want an https address, or one of this machine", p.Redirect)
	case p.ClientID == "":
		return errors.New("client-id: say by which name the provider knows this server")
	}
	return nil
}

// private reports whether nobody reads on the way what is sent to an address.
func private(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" &&
		(u.Scheme == "https" || u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()))
}

// name is what people are shown.
func (p *Provider) name() string {
	if u, err := url.Parse(p.Issuer); err == nil {
		return u.Host
	}
	return p.Issuer
}

func (p *Provider) claim() string {
	if p.Claim == "" {
		return "sub"
	}
	return p.Claim
}

// discover asks the provider for its addresses, until it has answered once. The
// context that it returns is for questions to it.
func (p *Provider) discover(ctx context.Context) (context.Context, *oidc.Provider, error) {
	client := &http.Client{Timeout: providerTime}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// The provider outlives the request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), p.Issuer)
		if err != nil {
			return nil, nil, err
		}
		p.found = found
	}
	return oidc.ClientContext(ctx, client), p.found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	switch p.claim() {
	case "sub":
	case "email":
		scopes = append(scopes, "email")
	default:
		scopes = append(scopes, "profile")
	}
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: found.Endpoint(), RedirectURL: p.Redirect, Scopes: scopes}
}

// subject exchanges the code for what the provider says, and returns the claim
// that the server goes by.
func (p *Provider) subject(ctx context.Context, code string, f flow) (string, error) {
	ctx, found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	config := p.oauth(found)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(f.verifier))
	if err != nil {
		return "", fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return "", errors.New("the provider gave no ID token")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("the ID token: %w", err)
	}
	if id.Nonce != f.nonce {
		return "", errors.New("the ID token is for another sign-in")
	}
	if p.claim() == "sub" {
		return id.Subject, nil
	}
	var claims claims
	if err := id.Claims(&claims); err != nil {
		return "", err
	}
	if claims[p.claim()] == nil && found.UserInfoEndpoint() != "" { // many providers say more there
		info, err := found.UserInfo(ctx, config.TokenSource(ctx, tokens))
		if err != nil {
			return "", fmt.Errorf("ask for the user's claims: %w", err)
		}
		if info.Subject != id.Subject {
			return "", errors.New("the provider gave the claims of somebody else")
		}
		claims = nil
		if err := info.Claims(&claims); err != nil {
			return "", err
		}
	}
	return p.chosen(claims, id.Subject)
}

// claims are what a provider says of somebody.
type claims map[string]json.RawMessage

// chosen returns the claim that the server goes by. An e-mail address that is
// not verified may be anybody's.
func (p *Provider) chosen(all claims, sub string) (string, error) {
	refused := &Refusal{Status: http.StatusForbidden, Code: CodeClaimMissing, Issuer: p.Issuer, Subject: sub, Claim: "sub"}
	var value string
	if json.Unmarshal(all[p.claim()], &value) != nil || value == "" {
		return "", refused
	}
	if verified := string(all["email_verified"]); p.claim() == "email" && verified != "true" && verified != `"true"` { // some say it in quotes
		refused.Code, refused.Subject, refused.Claim = CodeNotVerified, value, "email"
		return "", refused
	}
	return value, nil
}
