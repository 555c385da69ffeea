//go:build !linux

package durable

// rename is Name on a file system that has no links.
func rename(part, path string) error { return claim(part, path) }
