package integration

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// However an administrator turns the knobs of the Go runtime, and however little memory
// --memory names, the bytes are right, and it does not take for ever. SOAK tries all.
func TestBytesAreRightWhateverTheRuntimeIsTold(t *testing.T) {
	t.Parallel()
	site := mixedSite(t)
	must(t, site.AddStateless("stateless", xcatsite.Stateless{
		Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: xcatsite.Text("rootimg", 6<<20),
	}))
	makeCrowd(t, site.Path(site.TreeDir("mixed")+"/crowd"), 7, 500)
	const sums = `cd "$1" && sha256sum *.tgz && find . -mindepth 2 -type f ! -path './.img*' -print0 | sort -z | xargs -0 -P 8 -n 3 sha256sum | sort`
	want := shell(t, "", sums, mountSite(t, site.Dir()).dir)
	cases := []struct{ env, memory string }{
		{"GOMAXPROCS=1", ""},
		{"GOMAXPROCS=2", ""},
		{"GOMAXPROCS=16", ""},
		{"GOMAXPROCS=64", ""},
		{"GOGC=off", ""},
		{"GOGC=off GOMEMLIMIT=off", ""},
		{"GOGC=1", ""},
		{"GOMEMLIMIT=1MiB", ""},
		{"GOMAXPROCS=64", "4KiB"},
		{"GOMAXPROCS=1", "4KiB"},
		{"GOMAXPROCS=2", "1"},
		{"GOMAXPROCS=2", "1MiB"},
		{"GOMAXPROCS=2", "1PiB"},
	}
	random := rand.New(rand.NewPCG(randomSeed(t), 0))
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	if !soaking() {
		cases = cases[:6]
	}
	for _, c := range cases {
		t.Run(strings.TrimSpace(c.env+" "+c.memory), func(t *testing.T) {
			env, memory := strings.Fields(c.env), []string(nil)
			if c.memory != "" {
				memory = []string{"--memory", c.memory}
			}
			began := time.Now()
			m := mountSiteEnv(t, site.Dir(), env, memory...)
			expectText(t, "sums", shell(t, "", sums, m.dir), want)
			t.Logf("mount: %v, at most %d MiB resident", time.Since(began).Round(time.Millisecond), m.peakMemory(t)>>20)
			m.stop(t)
			work := t.TempDir()
			args := append([]string{programFile, "export", "--root", site.Dir(), "--all", work + "/"}, memory...)
			process{args: args, env: env}.run(t)
			expectText(t, "sums of export", shell(t, "", `cd "$1" && sha256sum *.tgz`, work), want[:strings.LastIndex(want, ".tgz\n")+len(".tgz\n")])
		})
	}
}

// A size that is none is refused on the command line.
func TestSizesOfMemoryThatAreNoneAreRefused(t *testing.T) {
	for _, size := range []string{"0", "-1", "", "much", "4KiBs", "2PiB", "1e400"} {
		r := program(t, t.TempDir(), "export", fmt.Sprint("--memory=", size), "foo")
		expectCode(t, r, 2)
		expectContains(t, "the error", r.stderr, "memory", "for example 256MiB")
	}
}
