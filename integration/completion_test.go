package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// Each shell completes names of images, nodes, commands and flags by the script that
// make install puts where the shell looks for it.
func TestShellsCompleteImagesAndNodes(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "netboot-a", "netboot-b", "odd name:1", "with$dollar")
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "node17", "groups": "all"}))
	dest := t.TempDir()
	run(t, "make", "-s", "-C", "..", "install", "BINARY="+programFile, "DESTDIR="+dest, "PREFIX=/usr")
	share := filepath.Join(dest, "usr/share")
	for _, page := range []string{"man1/imgexportfs.1", "man5/imgexportfs.yaml.5", "man8/mount.imgexportfs.8"} {
		if st, err := os.Stat(filepath.Join(share, "man", page)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", page, err)
		}
	}
	const bash = `. "$1"; export PATH=$2:$PATH; COMP_LINE=$3; COMP_POINT=${#COMP_LINE}; shift 3
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _imgexportfs; printf '%s\n' "${COMPREPLY[@]}"`
	const fish = `source $argv[1]; set -x PATH $argv[2] $PATH; complete -C $argv[3]`
	// What zsh itself would do with the words is printed instead.
	const zsh = `compdef() { : }; compset() { : }; _files() { : }; _describe() { print -rl -- "${(@P)2}" }
		source $1; path=($2 $path); words=(${(s: :)3}); CURRENT=$#words; PREFIX=$words[-1]; _imgexportfs`
	for _, c := range []struct {
		line string
		bash []string // the words as bash splits them
		want []string
	}{
		{"imgexportfs che", nil, []string{"check"}},
		{"imgexportfs check --root ROOT net", nil, []string{"netboot-a", "netboot-b"}},
		{"imgexportfs check --root=ROOT net", []string{"imgexportfs", "check", "--root", "=", "ROOT", "net"}, []string{"netboot-a", "netboot-b"}},
		{"imgexportfs export netboot-a --root ROOT -p no", nil, []string{"node17"}},
		{"imgexport --root ROOT -p node1,no", nil, []string{"node1,node17"}},
		{"imgexport --root ROOT netboot-", nil, []string{"netboot-a", "netboot-b"}},
		{"imgexport --root ROOT odd", nil, []string{"odd name:1"}},
		{"imgexport --root ROOT with", nil, []string{"with$dollar"}},
		{"imgexportfs mount --comp", nil, []string{"--compression"}},
		{"imgexportfs check --root /nosuch net", nil, nil},
	} {
		line := strings.ReplaceAll(c.line, "ROOT", site.Dir())
		words := strings.Fields(line)
		if c.bash != nil {
			words = strings.Fields(strings.ReplaceAll(strings.Join(c.bash, " "), "ROOT", site.Dir()))
		}
		bin := filepath.Join(dest, "usr/bin")
		must(t, ignoreExist(os.Symlink("imgexportfs", filepath.Join(bin, "imgexport"))))
		script := filepath.Join(share, "bash-completion/completions/imgexportfs")
		out := process{args: append([]string{"bash", "-c", bash, "bash", script, bin, line}, words...)}.run(t)
		got := strings.Split(strings.NewReplacer(`\`, "").Replace(strings.TrimSpace(out.stdout)), "\n")
		expectLines(t, "bash: "+c.line, strings.Fields(strings.Join(got, "\n")), strings.Fields(strings.Join(c.want, "\n")))
		if _, err := exec.LookPath("fish"); err == nil {
			script := filepath.Join(share, "fish/vendor_completions.d/imgexportfs.fish")
			out := process{args: []string{"fish", "--no-config", "-c", fish, script, bin, line}, env: []string{"HOME=" + t.TempDir()}}.run(t)
			var got []string
			for row := range strings.Lines(out.stdout) {
				word, _, _ := strings.Cut(strings.TrimSuffix(row, "\n"), "\t")
				got = append(got, strings.ReplaceAll(word, `\`, ""))
			}
			expectLines(t, "fish: "+c.line, got, c.want)
		}
		if _, err := exec.LookPath("zsh"); err == nil {
			script := filepath.Join(share, "zsh/site-functions/_imgexportfs")
			out := process{args: []string{"zsh", "-f", "-c", zsh, "zsh", script, bin, line}}.run(t)
			var got []string
			for row := range strings.Lines(out.stdout) {
				word, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSuffix(row, "\n"), `\:`, "\x00"), ":")
				got = append(got, strings.ReplaceAll(word, "\x00", ":"))
			}
			expectLines(t, "zsh: "+c.line, got, c.want)
		}
	}
}

func ignoreExist(err error) error {
	if os.IsExist(err) {
		return nil
	}
	return err
}

// A database that does not answer, or an error, leaves the shell without words, and soon.
func TestCompletionIsSilentAndSoon(t *testing.T) {
	secret := "mysql:dbname=x;host=192.0.2.1|u|s3cret"
	start := time.Now()
	r := program(t, t.TempDir(), "__complete", "check", "--cfgloc", secret, "net")
	if took := time.Since(start); took > 10*time.Second || r.code != 0 || r.stderr != "" || strings.Contains(r.stdout, "s3cret") {
		t.Errorf("%v, %+v", took, r)
	}
}

// A wrong name of an image is answered with the nearest ones.
func TestWrongImageNamesSuggestTheNearest(t *testing.T) {
	site := newSite(t)
	addPlain(t, site, "netboot-compute", "login")
	work := t.TempDir()
	run(t, programFile, "export", "login", work, "--root", site.Dir())
	for _, line := range []string{"export netbot-compute", "export netbot-compute nosuch login .", "check netbot-compute", "verify login.tgz --against netbot-compute"} {
		r := program(t, work, append(strings.Fields(line), "--root", site.Dir())...)
		expectCode(t, r, 1)
		expectContains(t, line, r.stdout+r.stderr, "id you mean netboot-compute?")
	}
	link := filepath.Join(work, "imgexport")
	must(t, os.Symlink(programFile, link))
	r := process{args: []string{link, "netbot-compute", "--root", site.Dir()}, dir: work, mayFail: true}.run(t)
	expectText(t, "stderr of imgexport", r.stderr, "Error: Cannot find image 'netbot-compute' from the osimage table.\n")
}
