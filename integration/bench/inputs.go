package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"imgexportfs/integration/xcatsite"
)

// The images of the benchmark.
const (
	stateless = "stateless"
	statelite = "statelite"
)

// buildInputs makes the site: kernel and ram disk are compressed, as real ones
// are, and the root image is packed as packimage packs it.
func buildInputs(work, goroot string) (*xcatsite.Site, error) {
	site, err := xcatsite.Create(filepath.Join(work, "site"))
	if err != nil {
		return nil, err
	}
	parts := xcatsite.Stateless{}
	for _, p := range []struct {
		to     *[]byte
		script string
	}{
		{&parts.Kernel, `gzip -9 -n -c "$1/bin/go"`},
		{&parts.Ramdisk, `cd "$1/pkg/tool" && find . | cpio --quiet -H newc -o | gzip -n -c`},
		{&parts.Rootimg, `cd "$1" && find . | cpio --quiet -H newc -o | gzip -n -c`},
	} {
		if *p.to, err = output(p.script, goroot); err != nil {
			return nil, err
		}
	}
	if err := site.AddStateless(stateless, parts); err != nil {
		return nil, err
	}
	if err := site.AddStatelite(statelite, parts.Kernel, parts.Ramdisk); err != nil {
		return nil, err
	}
	_, err = output(`cp -a "$1/." "$2"`, goroot, site.Path(site.TreeDir(statelite)))
	return site, err
}

// output runs a shell script with arguments and returns what it writes.
func output(script string, args ...string) ([]byte, error) {
	cmd := exec.Command("bash", append([]string{"-euo", "pipefail", "-c", script, "bash"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", script, err)
	}
	return out, nil
}
