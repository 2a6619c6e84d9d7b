package main

import (
	"os"
	"testing"
)

// TestMain keeps the tests out of the cache directory and the configuration of the host.
func TestMain(m *testing.M) {
	if err := os.Setenv(cacheDirEnv, ""); err != nil {
		panic(err)
	}
	if err := os.Setenv(configEnv, ""); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
