package api

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// MaxBody is how long the body of a command may be, in bytes.
const MaxBody = 1 << 20

// commandTime bounds one command, reading its body included.
const commandTime = 30 * time.Second

// commands makes one operation of each command in the catalogue.
func (s *server) commands() {
	schemas := s.api.OpenAPI().Components.Schemas
	receipt := schemas.Schema(reflect.TypeFor[ledger.Receipt](), true, "Receipt")
	for _, c := range catalogue.Commands() {
		_, aggregate, err := catalogue.Command(c.Name)
		if err != nil {
			panic(err) // the catalogue lists what it does not have
		}
		name := pascal(c.Name)
		schemas.Map()[name] = humaSchema(schema.Command(c))
		s.handle(huma.Operation{
			OperationID: c.Name, Method: http.MethodPost, Path: "/v1/commands/" + c.Name,
			Tags: []string{"commands on " + aggregate.Kind}, Summary: c.Doc, Description: commandDoc(c),
			Parameters: commandHeaders(),
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/" + name}},
			}},
			Responses: map[string]*huma.Response{
				"201": answer("Done: the receipt.", receipt, "ETag", "Location"),
				"200": answer("Had been done before, under the same idempotency key: the first receipt again.", receipt, "ETag", "Location"),
			},
			Errors: []int{400, 401, 403, 404, 409, 412, 413, 415, 422, 500, 503, 507},
		}, func(w http.ResponseWriter, r *http.Request) error { return s.command(w, r, c.Name) })
	}
	// A name that is no command gets the name of one that is spelt alike.
	s.undocumented("POST /v1/commands/{command}", func(_ http.ResponseWriter, r *http.Request) error {
		_, _, err := catalogue.Command(r.PathValue("command"))
		return err
	})
}

// command decodes, executes and answers one command.
func (s *server) command(w http.ResponseWriter, r *http.Request, name string) error {
	if err := s.inFlight.refuse(tooManyCommands); err != nil { // not worth reading
		return err
	}
	if _, err := requireMedia(r, "application/json"); err != nil {
		return err
	}
	if r.ContentLength > MaxBody {
		return &http.MaxBytesError{Limit: MaxBody}
	}
	ctx, cancel := context.WithTimeout(r.Context(), commandTime)
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return err
	}
	req, err := ledger.Decode(name, body)
	if err != nil {
		return err
	}
	if err := applyHeaders(&req.Meta, r.Header); err != nil {
		return err
	}
	receipt, err := s.execute(ctx, req)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(receipt.Version))
	if where := address(receipt.Agreement, receipt.Aggregate); where != "" {
		w.Header().Set("Location", where)
	}
	status := http.StatusCreated
	if receipt.Replayed {
		status = http.StatusOK
	}
	writeJSON(w, status, receipt)
	return nil
}

// execute carries out a command that has arrived, if the asker may give it.
func (s *server) execute(ctx context.Context, req ledger.Request) (ledger.Receipt, error) {
	receipt, _, err := decided(ctx, s, &req, s.cfg.Ledger.Execute)
	if err == nil {
		s.effected(ctx, receipt)
	}
	return receipt, err
}

// decided has a command that has arrived decided, if the asker may give it. What
// refuses it is told in words that the asker may read. It returns the read models
// of what the asker sees beside what the decision came to.
func decided[T any](ctx context.Context, s *server, req *ledger.Request, decide func(context.Context, ledger.Request) (T, error)) (T, *projections.Models, error) {
	var none T
	models, err := s.authorise(ctx, req)
	if err != nil {
		return none, nil, err
	}
	release, err := s.admit() // not before all of it is here: a slow client holds up nobody
	if err != nil {
		return none, nil, err
	}
	defer release()
	came, err := decide(ctx, *req)
	if err != nil {
		return none, nil, s.discreet(ctx, models, req, err)
	}
	return came, models, nil
}

const tooManyCommands = "Too many commands are under way. Nothing was written; try again in a moment."

// admit lets a command in, or refuses it.
func (s *server) admit() (release func(), err error) { return s.inFlight.enter(tooManyCommands) }

// address is where an aggregate can be asked for, "" when it cannot be.
func address(agreement domain.Key, aggregate string) string {
	kind, key, _ := strings.Cut(aggregate, "/")
	switch kind {
	case "party":
		return "/v1/parties/" + key
	case "access":
		return "/v1/access/" + key
	case "webhook":
		return "/v1/webhooks/" + key
	case "agreement":
		return "/v1/agreements/" + key
	case "project":
		return "/v1/agreements/" + string(agreement) + "/projects/" + key
	}
	return ""
}

func commandDoc(c domain.CommandType) string {
	return c.Doc + "\n\n" +
		"Refusals: `malformed` (400); `not-found` (404) for what the command refers to; `conflict` (409) when others kept changing the " +
		"aggregate; `stale-version` (412) when it is not at the version of `If-Match`; `too-large` (413) over 1 MiB; " +
		"`unsupported-media-type` (415); `unknown-field`, `missing-field`, `invalid-value`, `idempotency-key-reused` and the codes of " +
		"the rules (422); `overloaded`, `unavailable` and `outcome-unknown` (503); `no-room` (507) while the disk is full. Only after `outcome-unknown` may it have been done: " +
		"send it again with the same idempotency key."
}

func commandHeaders() []*huma.Param {
	header := func(name, doc, example string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Description: doc, Example: example, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return []*huma.Param{
		header(headerKey, "Names this command for ever, as the field idempotency_key: sent again, it gives the first receipt.", `"8e03978e-40d5-43e8-bc93-6894a57f9324"`),
		header(headerIfMatch, "Refuse unless the aggregate is at this version, as the field expected_version.", `"3"`),
		header(headerActor, "Who asks, where the field actor does not say.", "zhang.wei"),
		header("X-Request-Id", "Names the request in the server's log.", "9f2c"),
	}
}

// pascal is the name of a command's schema: RegisterParty for register-party.
func pascal(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
