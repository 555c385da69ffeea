package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

// filePrefix begins the names of inputs that take a file for a field.
const filePrefix = "_file."

// fileName begins the names of fields that keep what a file was called.
const fileName = "_name."

// maxFiles bounds what one form may bring, and maxValues of how many fields and files.
const (
	maxFiles  = 4 << 30
	maxValues = 5000
)

// readForm reads what a form sent. Files go to the store as they come, and are not
// held; their hashes take their place. What is wrong with one is blamed on its field,
// and the rest is read all the same: what was typed stays.
//
// The values that come before the first file tell whether the form is one of ours;
// else no file is taken.
func (s *site) readForm(w http.ResponseWriter, r *http.Request) (values url.Values, genuine bool, wrong *api.Problem, err error) {
	values = url.Values{}
	ours := func() bool { return s.SignIn != nil && s.SignIn.Genuine(r, values.Get(tokenField)) }
	r.Body = http.MaxBytesReader(w, api.Patient(w, r), maxFiles)
	parts, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		r.Body = http.MaxBytesReader(w, r.Body, 2*api.MaxBody)
		if err = r.ParseForm(); err == nil {
			values = r.PostForm
		}
		n := 0
		for _, said := range values {
			n += len(said)
		}
		if n > maxValues {
			return nil, false, nil, tooMany()
		}
		return values, ours(), nil, unreadable(err)
	}
	for n, size := 0, 0; err == nil; n++ {
		if n > maxValues {
			return nil, false, nil, tooMany()
		}
		var part *multipart.Part
		if part, err = parts.NextPart(); err != nil {
			break
		}
		if size += len(part.FormName()) + len(part.FileName()); size > 2*api.MaxBody { // they are kept, too
			return nil, false, nil, &http.MaxBytesError{Limit: 2 * api.MaxBody}
		}
		field, isFile := strings.CutPrefix(part.FormName(), filePrefix)
		switch {
		case !isFile:
			var b []byte
			if b, err = io.ReadAll(io.LimitReader(part, int64(2*api.MaxBody-size)+1)); err != nil {
				break
			}
			if size += len(b); size > 2*api.MaxBody {
				return nil, false, nil, &http.MaxBytesError{Limit: 2 * api.MaxBody}
			}
			values.Add(part.FormName(), string(b))
		case part.FileName() != "" && ours():
			stored, failed := s.api.Attach(r.Context(), part)
			if failed != nil {
				wrong = s.api.Problem(r.Context(), failed)
				wrong.Field = field
				break
			}
			values.Add(field, string(stored.SHA256))
			values.Set(fileName+string(stored.SHA256), part.FileName())
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return values, ours(), wrong, unreadable(err)
}

func tooMany() error {
	return api.InvalidParameter("form", fmt.Sprintf("The form has more than %d fields. Go back, and send less at once.", maxValues))
}

func unreadable(err error) error {
	var tooLong *http.MaxBytesError
	if err == nil || errors.As(err, &tooLong) {
		return err
	}
	return api.InvalidParameter("form", "The form did not arrive whole. Go back and send it again.")
}

// tidy closes the gaps that rows left empty make, so that the places in what was typed
// are those in the command, and has a field that was typed and came as a file, too,
// be the file.
func (f *form) tidy() {
	for _, field := range append(f.typ.Fields, domain.MetaFields()...) {
		switch {
		case field.Type == "array" && field.Items.Type == "object":
			closeGaps(f.values, field.Name)
		case field.Type == "array":
			said := slices.DeleteFunc(f.values[field.Name], func(s string) bool { return strings.TrimSpace(s) == "" })
			f.values[field.Name] = said
			if field.Items.Type != "command" && len(said) == 0 {
				delete(f.values, field.Name)
			}
		case field.Pattern == domain.HashPattern:
			if n := len(f.values[field.Name]); n > 1 {
				f.values.Set(field.Name, f.values[field.Name][n-1])
			}
		}
	}
}

// rows counts the rows of a list that say something, once there are no gaps.
func rows(values url.Values, name string) (n int) {
	for path := range values {
		if i, _, ok := rowOf(path, name); ok {
			n = max(n, i+1)
		}
	}
	return n
}

// rowOf reads name[3].rest.
func rowOf(path, name string) (i int, rest string, ok bool) {
	after, ok := strings.CutPrefix(path, name+"[")
	if !ok {
		return 0, "", false
	}
	number, rest, ok := strings.Cut(after, "].")
	i, err := strconv.Atoi(number)
	return i, rest, ok && err == nil && i >= 0 && i < 10_000
}

func closeGaps(values url.Values, name string) {
	said := map[int]map[string]string{}
	for path := range values {
		i, rest, ok := rowOf(path, name)
		if !ok {
			continue
		}
		if value := values.Get(path); strings.TrimSpace(value) != "" {
			if said[i] == nil {
				said[i] = map[string]string{}
			}
			said[i][rest] = value
		}
		values.Del(path)
	}
	var order []int
	for i := range said {
		order = append(order, i)
	}
	slices.Sort(order)
	for to, from := range order {
		for rest, value := range said[from] {
			values.Set(fmt.Sprintf("%s[%d].%s", name, to, rest), value)
		}
	}
}

// request makes the command of what is filled in, as strictly as every other is read.
func (f *form) request(present map[string]any) (ledger.Request, error) {
	object, err := f.compose(append(f.typ.Fields, domain.MetaFields()...), "")
	if err != nil {
		return ledger.Request{}, err
	}
	for name, value := range present { // what stays as it is need not be said
		if same(object[name], value) {
			delete(object, name)
		}
	}
	if creates := f.creates(); creates != "" && object[creates] == nil {
		if drawn := f.values.Get(drawnField); drawn != "" {
			object[creates] = drawn
		}
	}
	body, err := json.Marshal(object)
	if err != nil {
		return ledger.Request{}, err
	}
	req, err := ledger.Decode(f.typ.Name, body)
	if err != nil {
		return ledger.Request{}, err
	}
	req.Meta.IdempotencyKey = f.values.Get(keyField)
	if version, err := strconv.ParseUint(f.values.Get(versionField), 10, 64); err == nil && f.values.Get(ofField) == req.Command.Ref().String() {
		req.Meta.ExpectedVersion = &version
	}
	return req, nil
}

// compose makes an object of what is filled in for its fields; what is empty is left
// out. What has not the form of its type is handed on as it is, and refused by it.
func (f *form) compose(fields []domain.Field, prefix string) (map[string]any, error) {
	object := map[string]any{}
	for _, field := range fields {
		path := prefix + field.Name
		value, err := f.valueOf(field, path)
		if err != nil {
			return nil, err
		}
		if value != nil && field.Name != "idempotency_key" && field.Name != "expected_version" && field.Name != "actor" {
			object[field.Name] = value
		}
	}
	return object, nil
}

// valueOf is what is said of a field, nil for nothing.
func (f *form) valueOf(field domain.Field, path string) (any, error) {
	said := strings.TrimSpace(strings.ReplaceAll(f.values.Get(path), "\r\n", "\n"))
	switch {
	case field.Type == "text":
		text := map[string]string{}
		for name, values := range f.values {
			tag, ok := strings.CutPrefix(name, path+".")
			if s := strings.TrimSpace(strings.ReplaceAll(strings.Join(values, ""), "\r\n", "\n")); ok && s != "" {
				text[tag] = s
			}
		}
		if len(text) > 0 {
			return text, nil
		}
	case field.Type == "object":
		object, err := f.compose(field.Fields, path+".")
		if len(object) > 0 || err != nil {
			return object, err
		}
	case field.Type == "array" && field.Items.Type == "command":
		return clauses(said, path)
	case field.Type == "array" && field.Items.Type == "object":
		var list []any
		for i := range rows(f.values, path) {
			object, err := f.compose(field.Items.Fields, fmt.Sprintf("%s[%d].", path, i))
			if err != nil {
				return nil, err
			}
			list = append(list, object)
		}
		if len(list) > 0 {
			return list, nil
		}
	case field.Type == "array":
		var list []any
		for _, item := range f.values[path] {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		if len(list) > 0 {
			return list, nil
		}
	case said == "":
	case field.Type == "integer":
		if _, err := strconv.ParseInt(said, 10, 64); err == nil {
			return json.Number(said), nil
		}
		return said, nil
	case field.Type == "boolean" && (said == "true" || said == "false"):
		return said == "true", nil
	default:
		return said, nil
	}
	return nil, nil
}

// clauses reads commands, one JSON object a line.
func clauses(said, path string) (any, error) {
	var list []any
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if !json.Valid([]byte(line)) || line[0] != '{' {
			return nil, domain.Refuse(domain.CodeInvalidValue, fmt.Sprintf("%s[%d]", path, len(list)), "want a command as a JSON object on one line")
		}
		list = append(list, json.RawMessage(line))
	}
	if list == nil {
		return nil, nil
	}
	return list, nil
}
