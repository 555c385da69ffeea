//go:build !linux

package eventstore

// sharedMemory is a file system in memory that outlives a process: there is none.
const sharedMemory = ""

func inMemoryName(string) string { return "" }

func ownDir(string) bool { return false }
