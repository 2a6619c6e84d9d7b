package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
)

// A webServer is a program that shows a directory by HTTP.
type webServer struct {
	name    string
	start   func(t *testing.T, dir string) (url string)
	ifRange bool // whether it honours If-Range
}

var webServers = []webServer{
	{"busybox httpd", startBusybox, false},
	{"nginx", startNginx, true},
}

// startBusybox shows dir.
func startBusybox(t *testing.T, dir string) string {
	t.Helper()
	needTools(t, "busybox", "curl")
	address := loopback(freePort(t))
	launchWeb(t, address, "busybox", "httpd", "-f", "-p", address, "-h", dir)
	return "http://" + address
}

// startNginx shows dir with sendfile, as a user who is not root.
func startNginx(t *testing.T, dir string) string {
	t.Helper()
	needClients(t, "nginx", "curl")
	logVersion(t, "nginx", "-v")
	address, work := loopback(freePort(t)), t.TempDir()
	openTheWay(t, dir)
	openTheWay(t, work+"/x")
	config := fmt.Sprintf(`
daemon off;
user nobody nogroup;
pid %[1]s/pid;
worker_processes 2;
events {}
http {
	access_log off;
	sendfile on;
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	server { listen %[2]s; root %[3]s; }
}
`, work, address, dir)
	must(t, os.WriteFile(work+"/nginx.conf", []byte(config), 0o644))
	launchWeb(t, address, "nginx", "-e", "stderr", "-c", work+"/nginx.conf")
	return "http://" + address
}

// launchWeb runs a server until the end of the test.
func launchWeb(t *testing.T, address string, args ...string) {
	t.Helper()
	d := &daemon{args: args}
	d.launch(t)
	t.Cleanup(func() { d.end(t, syscall.SIGTERM) })
	d.await(t, func() error {
		response, err := http.Head("http://" + address + "/bar.tgz")
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
}

const webSize = 24_000_000

// withWebServers runs a test with each server on a mount of a site of the test's own,
// whose image bar has a root image of 24 MB.
func withWebServers(t *testing.T, test func(t *testing.T, s webServer, site *clientSite, m *mount, url string)) {
	for _, s := range webServers {
		t.Run(s.name, func(t *testing.T) {
			site := newClientSite(t, smallSite(t, webSize))
			m := site.mount(t, "-o", "allow_other,umask=022")
			test(t, s, site, m, s.start(t, m.dir)+"/bar.tgz")
		})
	}
}

// fetch runs curl, and returns the code of the answer and curl's own.
func fetch(t *testing.T, to string, args ...string) (status string, code int) {
	t.Helper()
	args = append([]string{"curl", "--silent", "--show-error", "--fail", "--write-out", "%{http_code}", "-o", to}, args...)
	r := process{args: args, mayFail: true}.run(t)
	return r.stdout, r.code
}

// answerHeader is a line of the answer about a URL.
func answerHeader(t *testing.T, url, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?im)^` + name + `: *(.*?)\r?$`).FindStringSubmatch(run(t, "curl", "--silent", "--fail", "--head", url))
	if found == nil {
		return ""
	}
	return found[1]
}

// A download is the bundle: whole, in pieces, continued, and many at once.
func TestDownloadsAreTheBundleOfAnExport(t *testing.T) {
	t.Parallel()
	withWebServers(t, func(t *testing.T, _ webServer, site *clientSite, _ *mount, url string) {
		part := filepath.Join(t.TempDir(), "part")
		size := statOne(t, site.bundle("bar")).size
		if status, code := fetch(t, part, url); status != "200" || code != 0 {
			t.Errorf("answer %s, exit code %d of curl", status, code)
		}
		run(t, "cmp", part, site.bundle("bar"))
		for _, there := range []int64{1, 1 << 20, 5_000_001, size - 1} {
			must(t, os.Truncate(part, there))
			if status, code := fetch(t, part, "-C", "-", url); status != "206" || code != 0 {
				t.Errorf("after %d bytes: answer %s, exit code %d of curl", there, status, code)
			}
			run(t, "cmp", part, site.bundle("bar"))
		}
		shell(t, t.TempDir(), `
			for i in 0 1 2 3 4 5 6 7; do
				curl --silent --fail -r $((i * $3))-$(((i + 1) * $3 - 1)) -o part$i "$1" & jobs[i]=$!
			done
			for i in 0 1 2 3 4 5 6 7; do wait ${jobs[i]}; done
			cat part? | cmp - "$2"`, url, site.bundle("bar"), strconv.FormatInt(size/8+1, 10))
	})
}

// If-Range keeps a client from continuing one state of a bundle with another: the answer
// to it is the whole new bundle, and curl fails. Where the server does not know If-Range
// or the client does not send it, the result is a mixture, and verify says so.
func TestContinuedDownloadsDoNotMixTwoStates(t *testing.T) {
	t.Parallel()
	withWebServers(t, func(t *testing.T, s webServer, site *clientSite, m *mount, url string) {
		validators := map[string]string{"ETag": answerHeader(t, url, "ETag"), "Last-Modified": answerHeader(t, url, "Last-Modified")}
		if s.ifRange && (validators["ETag"] == "" || validators["Last-Modified"] == "") {
			t.Fatalf("the validators are %q", validators)
		}
		work := t.TempDir()
		begun := filepath.Join(work, "begun")
		run(t, "cp", site.bundle("bar"), begun)
		must(t, os.Truncate(begun, 5_000_001))
		resume := func(what string, args ...string) (status string, code int) {
			run(t, "cp", begun, filepath.Join(work, what))
			return fetch(t, filepath.Join(work, what), append(args, "-C", "-", url)...)
		}
		for name, value := range validators {
			if value == "" {
				continue
			}
			if status, code := resume("unchanged", "-H", "If-Range: "+value); status != "206" || code != 0 {
				t.Errorf("If-Range with the %s of this state: answer %s, exit code %d of curl", name, status, code)
			}
			run(t, "cmp", filepath.Join(work, "unchanged"), site.bundle("bar"))
		}

		site.changeBar(t, m, "another", webSize)
		for name, value := range validators {
			if value == "" {
				continue
			}
			status, code := resume("if-range", "-H", "If-Range: "+value)
			switch {
			case s.ifRange && (status != "200" || code == 0):
				t.Errorf("If-Range with the %s of before: answer %s, exit code %d of curl", name, status, code)
			case !s.ifRange && status != "206":
				t.Errorf("%s knows If-Range: say so in docs/clients.md", s.name)
			}
		}
		if status, code := resume("mixture.tgz"); status != "206" || code != 0 {
			t.Errorf("without If-Range: answer %s, exit code %d of curl", status, code)
		}
		r := program(t, "", "verify", "--against", "none", filepath.Join(work, "mixture.tgz"))
		expectCode(t, r, 1)
		expectContains(t, "verify", r.stdout, "mixture.tgz: damaged")
		if status, code := fetch(t, filepath.Join(work, "new"), url); status != "200" || code != 0 {
			t.Errorf("the new bundle: answer %s, exit code %d of curl", status, code)
		}
		run(t, "cmp", filepath.Join(work, "new"), site.bundle("bar"))
	})
}

// A bundle that changes while it is being sent ends the answer, and curl says that it is
// not whole; or it was sent already. What has arrived is of the old state.
func TestChangeDuringADownloadEndsIt(t *testing.T) {
	t.Parallel()
	withWebServers(t, func(t *testing.T, s webServer, site *clientSite, m *mount, url string) {
		part, old := filepath.Join(t.TempDir(), "part"), filepath.Join(t.TempDir(), "old")
		run(t, "cp", site.bundle("bar"), old)
		w := startWaiter(t, "curl", "--silent", "--fail", "--limit-rate", "8M", "-o", part, url)
		eventually(t, "the download has begun", func() bool {
			st, err := os.Stat(part)
			return err == nil && st.Size() > 0
		})
		site.changeBar(t, m, "another", webSize)
		<-w.ended
		code, got := exitCode(w.cmd.ProcessState), statOne(t, part).size
		t.Logf("%s: curl ended with %d after %d of %d bytes", s.name, code, got, statOne(t, old).size)
		if whole := got == statOne(t, old).size; (code == 0) != whole {
			t.Errorf("exit code %d of curl, and the download is whole: %v", code, whole)
		}
		shell(t, "", `cmp -n "$3" "$1" "$2"`, part, old, strconv.FormatInt(got, 10))
		if _, code := fetch(t, part, url); code != 0 {
			t.Errorf("exit code %d of curl for the new bundle", code)
		}
		run(t, "cmp", part, site.bundle("bar"))
	})
}
