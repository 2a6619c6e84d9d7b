package integration

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A transfer that was cut is continued from where it was, and the result is
// the whole bundle.
func TestCutTransfersAreContinued(t *testing.T) {
	t.Parallel()
	site := bulkSite(t)
	m := mountSite(t, site.Dir())
	bundle := m.path("statelite.tgz")
	want := strings.Fields(run(t, "sha256sum", bundle))[0]
	size := statOne(t, bundle).size
	for _, way := range []struct {
		name, tool, script string // $1 bundle, $2 the part that is there, $3 its length
		damaged            bool   // whether the part may also be wrong
	}{
		{"rsync --append-verify", "rsync", `rsync --append-verify "$1" "$2"`, true},
		{"rsync --partial", "rsync", `rsync --partial --inplace --no-whole-file "$1" "$2"`, true},
		{"dd", "dd", `dd if="$1" of="$2" bs=64K skip="$3" seek="$3" iflag=skip_bytes oflag=seek_bytes conv=notrunc status=none`, false},
		{"tail", "tail", `tail -c +$(($3 + 1)) "$1" >> "$2"`, false},
		{"curl -C -", "curl", `curl --silent --show-error --fail -C - -o "$2" "file://$1"`, false},
	} {
		t.Run(way.name, func(t *testing.T) {
			needTools(t, way.tool)
			for _, there := range []int64{1, 70_000, 3<<20 + 1, size - 1} {
				part := filepath.Join(t.TempDir(), "part")
				run(t, "cp", bundle, part)
				must(t, os.Truncate(part, there))
				shell(t, "", way.script, bundle, part, strconv.FormatInt(there, 10))
				expectSum(t, fmt.Sprintf("continued after %d of %d bytes", there, size), part, want)
			}
			if way.damaged {
				part := filepath.Join(t.TempDir(), "damaged")
				shell(t, "", `head -c 2000000 /dev/zero > "$1"`, part)
				shell(t, "", way.script, bundle, part, "")
				expectSum(t, "continued after wrong bytes", part, want)
			}
		})
	}
}

func expectSum(t *testing.T, what, path, want string) {
	t.Helper()
	if got := strings.Fields(run(t, "sha256sum", path))[0]; got != want {
		t.Errorf("%s: the sum is %s, want %s", what, got, want)
	}
}

func init() { helpers["serve"] = helperServe }

// helperServe DIR shows DIR over HTTP on a free port of 127.0.0.1, says
// where, and goes on until it is killed.
func helperServe(args []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, http.FileServer(http.Dir(args[0])))
}

// A web server can publish a mount: whole files by sendfile(2), ranges for
// those who continue, and other validators once a bundle has changed.
func TestDownloadsAreContinued(t *testing.T) {
	t.Parallel()
	needTools(t, "curl")
	m := mountSite(t, bulkSite(t).Dir())
	want := strings.Fields(run(t, "sha256sum", m.path("stateless.tgz")))[0]
	url := serve(t, m.dir) + "/stateless.tgz"
	part := filepath.Join(t.TempDir(), "part")
	run(t, "curl", "--silent", "--fail", "-o", part, url)
	expectSum(t, "in one piece", part, want)
	for _, there := range []int64{1, 1 << 20, 20_000_001} {
		must(t, os.Truncate(part, there))
		run(t, "curl", "--silent", "--fail", "-C", "-", "-o", part, url)
		expectSum(t, fmt.Sprintf("continued after %d bytes", there), part, want)
	}
	// Four at once, as download managers do, each its quarter.
	shell(t, filepath.Dir(part), `
		size=$(stat -c %s "$2"); quarter=$((size / 4 + 1))
		for i in 0 1 2 3; do
			curl --silent --fail -r $((i * quarter))-$(((i + 1) * quarter - 1)) -o quarter$i "$1" & jobs[i]=$!
		done
		for i in 0 1 2 3; do wait ${jobs[i]}; done
		cat quarter? > part`, url, m.path("stateless.tgz"))
	expectSum(t, "in four pieces", part, want)
}

// serve starts helperServe and returns its URL.
func serve(t *testing.T, dir string) string {
	t.Helper()
	cmd := helperProcess(t, "serve", dir).command(t.Context())
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // the signal is how it ends
	})
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatalf("the web server says nothing: %v", err)
	}
	return "http://" + address
}
