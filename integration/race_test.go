package integration

import (
	"os"
	"path/filepath"
)

// A program with the race detector writes what it finds to a file, and no test has to look
// for it: on standard error it would be lost with the log of a server that is killed, or
// taken for one of the errors that a test expects.

// raced reports whether the program under test has the race detector, with which it takes
// several times the memory.
func raced() bool { return os.Getenv("IMGEXPORTFS_RACE") == "1" }

func raceReports() string { return filepath.Join(scratch, "races") }

// watchRaces has each program below this process write its data races to a file of its own.
// One that cannot write it ends with an error. At its end a program lets its goroutines go
// on for as long as is given here, by default for a second.
func watchRaces() error {
	if err := os.Mkdir(raceReports(), 0o700); err != nil {
		return err
	}
	options := "log_path=" + filepath.Join(raceReports(), "race") + " atexit_sleep_ms=100"
	return os.Setenv("GORACE", options)
}

// foundRaces is all that was reported.
func foundRaces() (reports string, err error) {
	files, err := filepath.Glob(filepath.Join(raceReports(), "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		reports += string(text)
	}
	return reports, err
}
