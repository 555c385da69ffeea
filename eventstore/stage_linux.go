package eventstore

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// sharedMemory is a file system in memory that outlives a process.
const sharedMemory = "/dev/shm"

// inMemoryName begins the names of what is in memory for a data directory, which it is
// told by and not by its path: a copy must not take what is the original's, and one
// that is moved keeps its own. It is "" when nobody can tell.
func inMemoryName(dir string) string {
	var st syscall.Stat_t
	if syscall.Stat(dir, &st) != nil {
		return ""
	}
	return filepath.Join(sharedMemory, fmt.Sprintf("milepost-%x-%x-", st.Dev, st.Ino))
}

// ownDir says that there is a directory which is this user's alone.
func ownDir(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
