package fs

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// fusermountLimit is how long fusermount may take, which asks the mount.
const fusermountLimit = 10 * time.Second

// fusermountUnmount unmounts for a user who is not root. inUse is called before the
// directory is only detached, because files are open.
func fusermountUnmount(dir string, inUse func()) error {
	err := fusermount("-u", "--", dir)
	if err != nil && strings.Contains(err.Error(), "resource busy") { // it speaks English only
		inUse()
		return fusermount("-u", "-z", "--", dir)
	}
	return err
}

// fusermount runs fusermount3, or the fusermount of FUSE 2. An error has its words.
func fusermount(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), fusermountLimit)
	defer cancel()
	for _, name := range []string{"fusermount3", "fusermount"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
		if words := oneLine(string(out)); err != nil && words != "" {
			return errors.New(words)
		}
		return err
	}
	return errors.New("only root can do this here (fusermount3 is not installed)")
}

// withFusermountsWords calls mount, which may start fusermount, and puts what that says
// into the error. The library gives fusermount this process's standard error and reports
// a number.
func withFusermountsWords(mount func() error) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	words := make(chan string, 1)
	go func() {
		said, _ := io.ReadAll(read)
		words <- oneLine(string(said))
	}()
	stderr := os.Stderr
	os.Stderr = write
	err = mount()
	os.Stderr = stderr
	_ = write.Close()
	said := <-words
	_ = read.Close()
	switch {
	case err == nil:
		return nil
	case said != "":
		return errors.New(said)
	}
	return errors.New(oneLine(err.Error()))
}

// oneLine is what a program has said on several lines.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool { return r == '\n' }), "; ")
}
