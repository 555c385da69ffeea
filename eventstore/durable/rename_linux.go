package durable

import (
	"errors"

	"golang.org/x/sys/unix"
)

// rename is Name on a file system that has no links, such as that of a memory stick or of
// some network disks.
func rename(part, path string) error {
	err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return claim(part, path)
	}
	return err
}
