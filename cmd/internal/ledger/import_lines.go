package ledger

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/milepost-ledger/milepost/domain"
)

// MaxLine is how long one line of an import may be.
const MaxLine = 1 << 20

// Lines reads commands as JSON Lines: one object a line, the command's name in
// its field "command", empty lines skipped. It ends after the first line that
// cannot be read, with an Item that says why.
func Lines(r io.Reader) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(make([]byte, 64<<10), MaxLine)
		line := 0
		for scanner.Scan() {
			line++
			raw := bytes.TrimSpace(scanner.Bytes())
			if line == 1 {
				raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
			}
			if len(raw) == 0 {
				continue
			}
			req, err := decodeLine(raw)
			if !yield(Item{Line: line, Request: req, Err: err, size: len(raw)}) || err != nil {
				return
			}
		}
		switch err := scanner.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Item{Line: line + 1, Err: domain.Refuse(CodeLineTooLong, "", "longer than %d bytes", MaxLine)})
		case err != nil:
			yield(Item{Line: line + 1, Err: fmt.Errorf("read: %w", err)})
		}
	}
}

func decodeLine(raw []byte) (Request, error) {
	name, err := domain.CommandNamed(raw)
	if err != nil {
		return Request{}, err
	}
	if name == "" {
		return Request{}, domain.Refuse(domain.CodeMissingField, "command", `each line names its command, {"command": "register-party", ...}`)
	}
	return Decode(name, raw)
}

// CodeLineTooLong refuses a line of an import over MaxLine.
const CodeLineTooLong = "too-large"
