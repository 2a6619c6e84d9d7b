// Notices writes the license texts of the modules in a Go program, and of Go's own library,
// to standard output: most of these licenses ask that their text goes with the program.
//
//	notices PROGRAM
//
// Which modules these are the program tells (debug/buildinfo); their texts are in the go
// command's cache of modules, where the build has put them. A module without a license is
// an error.
package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

func main() {
	err := errors.New("usage: notices PROGRAM")
	if len(os.Args) == 2 {
		err = write(os.Stdout, os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	goroot, err := goSays("env", "GOROOT")
	if err != nil {
		return err
	}
	if err := writeTexts(w, "Go "+info.GoVersion, goroot, false); err != nil {
		return err
	}
	dirs, err := moduleDirs(info.Deps)
	if err != nil {
		return err
	}
	for i, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		if err := writeTexts(w, dep.Path+" "+dep.Version, dirs[i], true); err != nil {
			return err
		}
	}
	return nil
}

// moduleDirs asks the go command where the files of modules are.
func moduleDirs(modules []*debug.Module) ([]string, error) {
	args := []string{"list", "-m", "-f", "{{.Dir}}"}
	for _, module := range modules {
		args = append(args, module.Path)
	}
	said, err := goSays(args...)
	if err != nil {
		return nil, err
	}
	dirs := strings.Split(said, "\n")
	if len(dirs) != len(modules) {
		return nil, fmt.Errorf("go list knows %d directories of %d modules", len(dirs), len(modules))
	}
	return dirs, nil
}

// goSays is what the go command prints.
func goSays(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// isNotice tells files with a license or a notice by their names: LICENSE, LICENSE-LIBYAML,
// COPYING.txt, PATENTS.
var isNotice = regexp.MustCompile(`^(?i:LICEN[CS]E|COPYING|NOTICE|PATENTS)([.-][A-Za-z0-9.-]*)?$`)

// writeTexts writes every license in dir; in folders as well if they are code of others
// that a module has taken in.
func writeTexts(w io.Writer, of, dir string, folders bool) error {
	found := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != dir && (!folders || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !isNotice.MatchString(d.Name()) || strings.HasSuffix(d.Name(), ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		found = true
		_, err = fmt.Fprintf(w, "==== %s: %s\n\n%s\n\n", of, name, strings.TrimSpace(string(text)))
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%s has no license in %s", of, dir)
	}
	return err
}
