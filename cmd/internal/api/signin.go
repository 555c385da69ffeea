package api

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
)

// SignIn is what lets people sign in by a browser, and keeps their sessions.
type SignIn interface {
	Sessions
	// Link makes a one-time link by which whoever opens it is the principal, for as
	// long as the token by which it was asked for is the principal's own, or an
	// administrator's.
	Link(principal domain.Key, token string) (address string, expires time.Time)
	// Routes are the pages, for those whom nobody knows yet.
	Routes(fail signin.Fail) map[string]http.HandlerFunc
}

// SignInLink is a one-time link.
type SignInLink struct {
	Principal domain.Key `json:"principal" doc:"Whom it signs in."`
	Link      string     `json:"link" doc:"The address to open in a browser. It signs in once."`
	Expires   time.Time  `json:"expires_at" doc:"Until when it does."`
}

// signInPages serves the pages, and the links to them.
func (s *server) signInPages() {
	if s.cfg.SignIn != nil {
		for pattern, h := range s.cfg.SignIn.Routes(func(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
			p := newProblem(code, "", detail)
			p.Status = status
			s.fail(w, r, p)
		}) {
			s.mux.HandleFunc(pattern, h)
		}
	}
	schemas := s.api.OpenAPI().Components.Schemas
	s.handle(huma.Operation{
		OperationID: "create-sign-in-link", Method: http.MethodPost, Path: "/v1/sign-in-links", Tags: []string{"operations"},
		Summary: "A link that signs in by a browser, once, within 15 minutes.",
		Description: "For oneself; an administrator has them for others too. It is asked for with a token: a session cannot prolong itself, and " +
			"one that was begun by the link ends with that token, or when its holder may make no such link any more. " +
			"Whoever opens the link is the principal, so hand it to nobody else.",
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			Type: huma.TypeObject, AdditionalProperties: false,
			Properties: map[string]*huma.Schema{"principal": {Type: huma.TypeString, Description: "Key of the principal; the one who asks when absent."}},
		}}}},
		Responses: map[string]*huma.Response{"201": answer("The link.", schemas.Schema(reflect.TypeFor[SignInLink](), true, "SignInLink"))},
		Errors:    []int{400, 403, 404, 413, 500, 503, 507},
	}, s.createLink)
}

func (s *server) createLink(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
	if err != nil {
		return err
	}
	var asked struct {
		Principal domain.Key `json:"principal"`
	}
	if len(body) > 0 {
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&asked); err != nil {
			return newProblem(domain.CodeMalformed, "", `Want {"principal": "ann"}, or no body.`)
		}
	}
	asker, err := renewed(r.Context())
	if err != nil {
		return err
	}
	token, err := tokenOf(r) // which is how the asker is known, if it is there
	switch {
	case err != nil:
		return err
	case s.cfg.SignIn == nil:
		return newProblem(CodeUnknownRoute, "", "This server has no pages to sign in by.")
	case token == "": // a session would go on for ever
		return newProblem(CodeForbidden, "Authorization", "A link is made for who shows a token, not by a session. Ask with milepost token link.")
	}
	principal := asker.Key
	if asked.Principal != "" && asked.Principal != asker.Key {
		if !asker.Over("", grants.Admin) {
			return newProblem(CodeForbidden, "principal", "Only an administrator of the whole ledger makes links for others.")
		}
		other, known := s.cfg.Access.Principal(asked.Principal)
		if !known || len(other.Grants()) == 0 {
			return domain.NotFound("principal", "principal", asked.Principal)
		}
		principal = other.Key
	}
	link := SignInLink{Principal: principal}
	link.Link, link.Expires = s.cfg.SignIn.Link(principal, token)
	writeJSON(w, http.StatusCreated, link)
	return nil
}
