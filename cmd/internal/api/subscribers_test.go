package api

import (
	"log/slog"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

func TestSubscriberRoutes(t *testing.T) {
	// given a server that looks after subscribers, and one subscriber
	r := start(t, func(cfg *Config) {
		cfg.Subscribers = subscribers.New("test", cfg.Access, cfg.Store, slog.New(slog.DiscardHandler))
	})
	r.signed()
	key, err := eventstore.NewUserKey()
	require.NoError(t, err)
	receipt := r.done("add-subscriber", `{"subscriber":"erp","agreement":"wuxi-2017","public_key":"`+key.Public+`"}`)
	known := "?min_seq=" + strconv.FormatUint(receipt.Seq, 10)

	// then what it needs to connect is told once its event is known; its consumer is there
	var c subscribers.Credentials
	r.send(http.MethodPost, "/v1/subscribers/erp/credentials"+known, "").is(http.StatusOK).into(&c)
	assert.NotEmpty(t, c.JWT)
	assert.Equal(t, subscribers.Credentials{Subscriber: "erp", Stream: "milepost-test", Consumer: "erp", InboxPrefix: "_INBOX_erp", JWT: c.JWT}, c)
	r.send(http.MethodPost, "/v1/subscribers/erp/credentials?min_seq=x", "").problem(http.StatusBadRequest, CodeInvalidParameter)
	r.send(http.MethodPost, "/v1/subscribers/nobody/credentials"+known, "").problem(http.StatusNotFound, domain.CodeNotFound)

	// and how far it is
	r.get("/v1/subscribers/lag?limit=1").problem(http.StatusBadRequest, CodeUnknownParameter)
	var list SubscriberList
	r.get("/v1/subscribers/lag").is(http.StatusOK).into(&list)
	assert.Equal(t, []subscribers.Lag{{Subscriber: "erp", Agreement: "wuxi-2017", State: subscribers.Active, Pending: 7}}, list.Items)

	// and once it is revoked there are no credentials for it
	receipt = r.done("revoke-subscriber", `{"subscriber":"erp"}`)
	r.send(http.MethodPost, "/v1/subscribers/erp/credentials?min_seq="+strconv.FormatUint(receipt.Seq, 10), "").problem(http.StatusUnprocessableEntity, subscribers.CodeRevoked)
}

func TestSubscribersOfAServerThatDoesNotLookAfterThem(t *testing.T) {
	r := start(t)
	r.get("/v1/subscribers/lag").problem(http.StatusServiceUnavailable, CodeUnavailable)
	r.send(http.MethodPost, "/v1/subscribers/erp/credentials", "").problem(http.StatusServiceUnavailable, CodeUnavailable)
}
