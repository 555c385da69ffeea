package eventstore_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// payload is about what an event weighs.
var payload = []byte(`{"data":"` + strings.Repeat("x", 580) + `"}`)

// BenchmarkRawPublish is the measure for the others: one connection, one
// synchronous publish at a time, in the same server with the same settings.
func BenchmarkRawPublish(b *testing.B) {
	s := open(b)
	sc, cleanup, err := s.Scratch(b.Context(), "raw")
	require.NoError(b, err)
	defer func() { require.NoError(b, cleanup()) }()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		rawPublish(b, sc, i)
	}
	perSecond(b, b.N)
}

func rawPublish(b *testing.B, sc *eventstore.Scratch, i int) {
	_, err := sc.JetStream.Publish(b.Context(), sc.Prefix+"a.k."+strconv.Itoa(i), payload,
		jetstream.WithMsgID(nuid.Next()), jetstream.WithExpectLastSequencePerSubject(0))
	require.NoError(b, err)
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 2, 4, 8, 16, 32, 64, 256} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			s := open(b)
			var wg sync.WaitGroup
			next := make(chan int)
			for w := range writers {
				wg.Go(func() {
					last := uint64(0)
					subject := eventstore.Subject("test", "a", "w", strconv.Itoa(w))
					for range next {
						seq, err := s.Append(context.Background(), []eventstore.Message{{Subject: subject, Data: payload, ID: nuid.Next(), Expect: last}})
						if err != nil {
							b.Error(err)
							return
						}
						last = seq
					}
				})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				next <- i
			}
			close(next)
			wg.Wait()
			perSecond(b, b.N)
		})
	}
}

// BenchmarkPaired alternates raw publishes and appends, so that both see the
// same disk; its metric is the ratio.
func BenchmarkPaired(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			s := open(b)
			sc, cleanup, err := s.Scratch(b.Context(), "raw")
			require.NoError(b, err)
			defer func() { require.NoError(b, cleanup()) }()
			last := make([]uint64, writers)
			n, rawN, ourN := 0, 0, 0
			var raw, ours time.Duration
			for b.Loop() {
				t := time.Now()
				for range 100 {
					n++
					rawN++
					rawPublish(b, sc, n)
				}
				raw += time.Since(t)
				each := max(30, 100/writers)
				t = time.Now()
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() {
						subject := eventstore.Subject("test", "a", "w", strconv.Itoa(w))
						for range each {
							seq, err := s.Append(context.Background(), []eventstore.Message{{Subject: subject, Data: payload, ID: nuid.Next(), Expect: last[w]}})
							if err != nil {
								b.Error(err)
								return
							}
							last[w] = seq
						}
					})
				}
				wg.Wait()
				ours += time.Since(t)
				ourN += writers * each
			}
			rawRate, ourRate := float64(rawN)/raw.Seconds(), float64(ourN)/ours.Seconds()
			b.ReportMetric(rawRate, "raw/s")
			b.ReportMetric(ourRate, "ours/s")
			b.ReportMetric(ourRate/rawRate, "x")
		})
	}
}

// BenchmarkBatch1000 alternates raw atomic batches of 1,000 messages and
// appends of as many, one after the other.
func BenchmarkBatch1000(b *testing.B) {
	s := open(b)
	sc, cleanup, err := s.Scratch(b.Context(), "raw")
	require.NoError(b, err)
	defer func() { require.NoError(b, cleanup()) }()
	var raw, ours time.Duration
	n := 0
	for b.Loop() {
		n++
		t := time.Now()
		rawBatch(b, sc.Conn, sc.Prefix, n)
		raw += time.Since(t)

		msgs := make([]eventstore.Message, 1000)
		t = time.Now()
		for i := range msgs {
			msgs[i] = eventstore.Message{Subject: eventstore.Subject("test", "a", "b", fmt.Sprintf("%d-%d", n, i)), Data: payload, ID: nuid.Next()}
		}
		_, err := s.Append(b.Context(), msgs)
		require.NoError(b, err)
		ours += time.Since(t)
	}
	b.ReportMetric(float64(n)*1000/raw.Seconds(), "raw/s")
	b.ReportMetric(float64(n)*1000/ours.Seconds(), "ours/s")
	b.ReportMetric(raw.Seconds()/ours.Seconds(), "x")
}

func rawBatch(b *testing.B, nc *nats.Conn, prefix string, n int) {
	id := nuid.Next()
	for i := range 1000 {
		m := nats.NewMsg(prefix + fmt.Sprintf("a.b.%d-%d", n, i))
		m.Data = payload
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		m.Header.Set("Nats-Msg-Id", nuid.Next())
		m.Header.Set("Nats-Expected-Last-Subject-Sequence", "0")
		if i < 999 {
			require.NoError(b, nc.PublishMsg(m))
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		answer, err := nc.RequestMsg(m, 10*time.Second)
		require.NoError(b, err)
		require.NotContains(b, string(answer.Data), "error")
	}
}

// BenchmarkRead alternates a raw ordered consumer and Read over the same log.
func BenchmarkRead(b *testing.B) {
	const size = 100_000
	s := open(b)
	fill(b, s, size)
	nc := s.Raw()
	js, err := jetstream.New(nc)
	require.NoError(b, err)
	var raw, ours, chunks time.Duration
	n := 0
	for b.Loop() {
		n++
		t := time.Now()
		rawRead(b, js, s.Stream(), size)
		raw += time.Since(t)

		t = time.Now()
		count := 0
		for _, err := range s.Read(b.Context(), 1, 0, "") {
			require.NoError(b, err)
			count++
		}
		require.Equal(b, size, count)
		ours += time.Since(t)

		t = time.Now()
		count = 0
		for c, err := range s.ReadChunks(b.Context(), 1, 0, "") {
			require.NoError(b, err)
			count += len(c)
		}
		require.Equal(b, size, count)
		chunks += time.Since(t)
	}
	b.ReportMetric(float64(n)*size/raw.Seconds(), "raw/s")
	b.ReportMetric(float64(n)*size/ours.Seconds(), "ours/s")
	b.ReportMetric(float64(n)*size/chunks.Seconds(), "chunks/s")
	b.ReportMetric(raw.Seconds()/ours.Seconds(), "x")
}

func rawRead(b *testing.B, js jetstream.JetStream, stream string, size int) {
	cons, err := js.OrderedConsumer(b.Context(), stream, jetstream.OrderedConsumerConfig{})
	require.NoError(b, err)
	done, count := make(chan struct{}), 0
	cc, err := cons.Consume(func(jetstream.Msg) {
		if count++; count == size {
			close(done)
		}
	}, jetstream.PullMaxMessages(4096))
	require.NoError(b, err)
	<-done
	cc.Stop()
}

func BenchmarkAggregate(b *testing.B) {
	for _, size := range []int{1, 10, 500} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			s := open(b)
			fill(b, s, 20_000)
			subject := eventstore.Subject("test", "a", "k", "one")
			last := uint64(0)
			for range size {
				var err error
				last, err = s.Append(b.Context(), []eventstore.Message{{Subject: subject, Data: payload, Expect: last}})
				require.NoError(b, err)
			}
			for b.Loop() {
				count := 0
				for _, err := range s.Aggregate(b.Context(), subject, 1) {
					require.NoError(b, err)
					count++
				}
				require.Equal(b, size, count)
			}
		})
	}
}

// BenchmarkReopen opens a store of 200,000 records after a clean stop.
func BenchmarkReopen(b *testing.B) {
	cfg := config(b)
	s, err := eventstore.Open(b.Context(), cfg)
	require.NoError(b, err)
	fill(b, s, 200_000)
	require.NoError(b, s.Close())
	for b.Loop() {
		s, err := eventstore.Open(b.Context(), cfg)
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, s.Close())
		b.StartTimer()
	}
}

// fill writes n records in batches, over 1,000 subjects.
func fill(tb testing.TB, s *eventstore.Store, n int) {
	tb.Helper()
	last := make([]uint64, 1000)
	for n > 0 {
		msgs := make([]eventstore.Message, min(n, 1000))
		for i := range msgs {
			msgs[i] = eventstore.Message{Subject: eventstore.Subject("test", "a", "fill", strconv.Itoa(i)), Data: payload, ID: nuid.Next(), Expect: last[i]}
		}
		first, err := s.Append(context.Background(), msgs)
		require.NoError(tb, err)
		for i := range msgs {
			last[i] = first + uint64(i)
		}
		n -= len(msgs)
	}
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "appends/s")
}
