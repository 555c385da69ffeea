package web

import (
	"encoding/json"
	"reflect"

	"github.com/milepost-ledger/milepost/domain"
)

// keysOnly is a command that says no more than which things it is about: enough to
// know which aggregate it is asked of before all of it is filled in. It is nil where
// a key has not the form of one.
func keysOnly(zero domain.Command, fields []domain.Field, said func(name string) domain.Key) domain.Command {
	keys := map[string]string{}
	for _, field := range fields {
		if key := said(field.Name); field.Type == "string" && field.Pattern == domain.KeyPattern && key != "" {
			keys[field.Name] = string(key)
		}
	}
	cmd := reflect.New(reflect.TypeOf(zero))
	if json.Unmarshal(domain.EncodeValue(keys), cmd.Interface()) != nil {
		return nil
	}
	return cmd.Elem().Interface().(domain.Command)
}
