package durable

import (
	"errors"
	"fmt"
)

// ErrNoRoom: the disk has no room for more, or nearly none. Nothing was written;
// it can be again, without anything being done, once there is room.
var ErrNoRoom = errors.New("no room is left on the disk")

// What is kept free of a disk. What follows from the log has to be written when the
// log takes no more, and a write that meets the very end of a disk is one to recover
// from.
const (
	reserve      = 64 << 20
	reservedPart = 16 // of a small disk: one in so many bytes
)

// Room refuses with ErrNoRoom when so little is free on the disk of dir that nothing
// may be added that can wait. It is asked before each write, and costs a microsecond
// or two. Where nobody knows how much is free there is room.
func Room(dir string) error {
	size, free, err := disk(dir)
	if err == nil && free < min(reserve, size/reservedPart) {
		return fmt.Errorf("%w: %d of %d bytes are free in %s", ErrNoRoom, free, size, dir)
	}
	return nil
}

// Free is how many bytes are left on the disk that a directory is on.
func Free(dir string) (int64, error) {
	_, free, err := disk(dir)
	return free, err
}
