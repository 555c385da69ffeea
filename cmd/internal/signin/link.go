package signin

import (
	"net/url"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// linkTime is how long a one-time link can be used.
const linkTime = 15 * time.Minute

// linksEach is how many of a principal's links can be open at once: with one
// more, the oldest is void.
const linksEach = 10

// links are the one-time codes that nobody has used yet, by their hashes.
type links struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[hash]link
}

type link struct {
	principal domain.Key
	proof     proof
	made      time.Time
}

// Link makes a link by which whoever opens it, once and until it expires, is
// signed in as the principal. Neither the link nor the session outlasts the token
// by which it was asked for, or the right to have it: by a link for somebody else
// an administrator would keep what was taken away.
func (s *Service) Link(principal domain.Key, token string) (address string, expires time.Time) {
	code, expires := s.links.add(principal, s.byMaker(principal, token))
	return s.cfg.Base + "/sign-in/link?" + url.Values{"code": {code}}.Encode(), expires
}

func (l *links) add(principal domain.Key, proof proof) (code string, expires time.Time) {
	code = secret()
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[hash]link{}
	}
	var oldest hash
	mine := 0
	for h, other := range l.open {
		switch {
		case now.Sub(other.made) >= linkTime:
			delete(l.open, h)
		case other.principal == principal:
			if mine++; mine == 1 || other.made.Before(l.open[oldest].made) {
				oldest = h
			}
		}
	}
	if mine >= linksEach {
		delete(l.open, oldest)
	}
	l.open[hashOf(code)] = link{principal: principal, proof: proof, made: now}
	return code, now.Add(linkTime)
}

// peek returns the link of a code that can be used.
func (l *links) peek(code string) (link, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.open[hashOf(code)]
	return found, ok && l.now().Sub(found.made) < linkTime
}

// use is peek, and the code is void from then on.
func (l *links) use(code string) (link, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := hashOf(code)
	found, ok := l.open[h]
	delete(l.open, h)
	return found, ok && l.now().Sub(found.made) < linkTime
}
