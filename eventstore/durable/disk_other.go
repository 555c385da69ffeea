//go:build !linux && !darwin

package durable

import "errors"

func disk(string) (size, free int64, err error) { return 0, 0, errors.ErrUnsupported }
