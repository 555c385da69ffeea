package eventstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A subscriber could fill the server's memory by requests alone, since the server
// remembers each for as long as answers may come.
func TestSubscriberThatOnlyAsksIsCutOff(t *testing.T) {
	// Given two subscribers.
	o := listen(t)
	ctx := t.Context()
	_, err := o.Append(ctx, []eventstore.Message{{Subject: "milepost.test.a1.project.p1", Data: []byte(`{"n":1}`)}})
	require.NoError(t, err)
	_, greedyCreds := o.add(t, "greedy")
	_, calmCreds := o.add(t, "calm")
	greedy, _, _ := o.dial(t, "greedy", greedyCreds)
	_, calm, _ := o.dial(t, "calm", calmCreds)

	// When one of them asks and asks.
	_, err = greedy.Subscribe(eventstore.Inbox("greedy")+".>", func(*nats.Msg) {})
	require.NoError(t, err)
	ask := "$JS.API.CONSUMER.MSG.NEXT.milepost-test.greedy"
	for i := 0; !greedy.IsClosed() && i < 2_000_000; i++ {
		if err := greedy.PublishRequest(ask, fmt.Sprintf("%s.%d", eventstore.Inbox("greedy"), i), []byte(`{"batch":1,"expires":30000000000}`)); err != nil {
			break
		}
	}

	// Then it is cut off, and the other one reads on.
	eventually(t, "cut off", func() bool { return o.Connections("greedy") == 0 })
	c, err := calm.Consumer(ctx, "milepost-test", "calm")
	require.NoError(t, err)
	assert.Equal(t, `{"n":1}`, next(t, c))

	// And when it comes back what it asked is forgotten, once the server is through
	// with it: it is not heard before, and has the record again after AckWait at most.
	_, back, _ := o.dial(t, "greedy", greedyCreds)
	c, err = back.Consumer(ctx, "milepost-test", "greedy")
	require.NoError(t, err)
	msg, err := c.Next(jetstream.FetchMaxWait(patience))
	for asked := time.Now(); err != nil && time.Since(asked) < eventstore.AckWait+patience; {
		msg, err = c.Next(jetstream.FetchMaxWait(patience))
	}
	require.NoError(t, err)
	assert.Equal(t, `{"n":1}`, string(msg.Data()))
}
