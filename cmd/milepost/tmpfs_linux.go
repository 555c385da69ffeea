package main

import "syscall"

const tmpfsMagic = 0x01021994

// inMemory reports whether dir is on a file system in memory.
func inMemory(dir string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && int64(s.Type) == tmpfsMagic
}
