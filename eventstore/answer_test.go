package eventstore

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
)

// What is read without the library says what the library reads, and the rest is left to it.
func TestAnswersOfTheServerAreRead(t *testing.T) {
	for answer, plain := range map[string]bool{
		`{"stream":"TEST","seq":7}`:                                       true,
		`{"stream":"TEST","domain":"hub","seq":1234567890}`:               true,
		`{"stream":"TEST","seq":7,"duplicate": true}`:                     false,
		`{"stream":"TEST","seq":7,"batch":"b","count":2}`:                 false,
		`{"stream":"TEST","seq":18446744073709551617}`:                    false,
		`{"stream":"TEST","seq":-7}`:                                      false,
		`{"stream":"TEST","seq":}`:                                        false,
		`{"stream":"TEST","seq":7`:                                        false,
		`{"error":{"code":400,"err_code":10071,"description":"","seq":7}`: false,
		`{"error":{"code":400,"err_code":10071},"stream":"TEST","seq":0}`: false,
		``: false,
	} {
		ack, ok := plainAck([]byte(answer))
		assert.Equal(t, plain, ok, answer)
		if ok {
			var want pubAck
			assert.NoError(t, json.Unmarshal([]byte(answer), &want), answer)
			assert.Equal(t, want, ack, answer)
		}
	}
	f := flight{messages: 1}
	f.read(&nats.Msg{Data: []byte(`{"stream":"TEST","seq":7}`)})
	assert.NoError(t, f.err)
	assert.EqualValues(t, 7, f.first)
	f.read(&nats.Msg{Data: []byte(`{"error":{"code":400,"err_code":10071},"stream":"TEST","seq":0}`)})
	assert.True(t, isConflict(f.err))
}
