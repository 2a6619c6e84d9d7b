package source

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFileThatIsGoneHasChangedAndOneThatCannotBeReadHasNot(t *testing.T) {
	for err, changed := range map[error]bool{
		unix.ENOENT: true, unix.ENOTDIR: true, unix.ELOOP: true, ErrNotRegular: true,
		unix.ESTALE: true, // the directory was removed on the file server
		unix.EACCES: false, unix.EIO: false, unix.EMFILE: false,
	} {
		if got := changedIfGone(err); !errors.Is(got, err) || errors.Is(got, ErrChanged) != changed {
			t.Errorf("%v is taken as %v", err, got)
		}
	}
}
