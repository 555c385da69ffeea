package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
)

// done goes on to where the form was opened, or to the page of what was changed. A
// token that was issued is shown first.
func (f *form) done(receipt ledger.Receipt) (commandAnswer, error) {
	next := f.values.Get(nextField)
	if next == "" {
		next = f.pageAfter(receipt)
	}
	to, err := url.Parse(local(next))
	if err != nil {
		return commandAnswer{}, err
	}
	query := to.Query()
	query.Set("min_seq", uintText(receipt.Seq))
	query.Set("done", uintText(receipt.Seq))
	to.RawQuery = query.Encode()
	if token := f.token(); token != "" {
		a := f.answer("token")
		a.Token, a.Next = token, to.String()
		return a, nil
	}
	f.goTo = to.String()
	return commandAnswer{}, nil
}

// hidden is what is filled in, for a form that shows no inputs.
func (f *form) hidden() (hidden []parameter) {
	for name, values := range f.values {
		if name == stepField || name == tokenField {
			continue
		}
		for _, value := range values {
			hidden = append(hidden, parameter{name, value})
		}
	}
	return sorted(hidden)
}

// pageAfter is the page of what was recorded, where there is one.
func (f *form) pageAfter(receipt ledger.Receipt) string {
	kind, key, _ := strings.Cut(receipt.Aggregate, "/")
	switch kind {
	case "access":
		return "/access/" + url.PathEscape(key)
	case "restriction":
		return "/access"
	case "subscriber", "webhook":
		return "/connections"
	}
	if page := f.Entity(string(receipt.Agreement), receipt.Aggregate).Page; page != "" {
		return page
	}
	return "/"
}

// doneBefore is the line about what a form recorded: the event is looked up, so that no
// address makes a page say anything else.
func (v *visit) doneBefore(ctx context.Context, seq string) (string, error) {
	if seq == "" {
		return "", nil
	}
	n, err := minSeq(seq)
	if err != nil || n == 0 || n > v.At.Seq {
		return "", nil
	}
	e, found, err := v.event(ctx, n)
	if refused(err) || err == nil && !found {
		return "", nil
	}
	return v.Say("Recorded: event %d, %s.", e.Seq, v.EventName(e.Type)), err
}
