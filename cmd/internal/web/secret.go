package web

import (
	"github.com/google/uuid"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

// secretHash is the field of a command that takes the hash of a secret which the
// server can make.
var secretHash = map[string]string{"issue-token": "hash"}

// newToken makes the token of which the command has the hash, unless one is said. It
// goes with the form until it is recorded, so that a form that is sent twice issues
// one token and shows it both times; the server keeps it nowhere.
func (f *form) newToken() error {
	field := secretHash[f.typ.Name]
	if field == "" || f.values.Get(field) != "" {
		return nil
	}
	key := f.key("token")
	if key == "" {
		drawn, err := uuid.NewV7()
		if err != nil {
			return err
		}
		key = domain.Key(drawn.String())
		f.values.Set(drawnField, string(key))
	}
	if !key.Valid() {
		return nil // which is refused
	}
	token, hash := access.NewToken(key)
	f.values.Set(secretField, token)
	f.values.Set(field, string(hash))
	return nil
}

// forgetToken drops a token that was made and not recorded.
func (f *form) forgetToken() {
	if f.values.Get(secretField) == "" {
		return
	}
	f.values.Del(secretField)
	f.values.Del(secretHash[f.typ.Name])
	f.values.Del(drawnField)
}

// token is the one that was issued, "" where the server made none.
func (f *form) token() string {
	token := f.values.Get(secretField)
	if _, hash, err := access.ParseToken(token); err != nil || string(hash) != f.values.Get(secretHash[f.typ.Name]) {
		return ""
	}
	return token
}
