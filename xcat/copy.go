package xcat

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// listColumns are the columns of linuximage with lists of files, in the order
// in which imgexport copies the files.
var listColumns = []string{"template", "pkglist", "otherpkglist", "postinstall", "exlist"}

// permMask are the permissions that imgexport's umask leaves.
const permMask = 0o755

// copyFiles lists everything that imgexport copies, in its order.
func (x *exporter) copyFiles() {
	for _, f := range x.boot {
		x.data(f.path)
		x.copyNeeded(f.path, f.element)
	}
	for _, column := range listColumns {
		x.copyList(column, x.linux(column))
	}
	x.copyList("synclists", x.osimage["synclists"])
	x.copyKits()
	x.copyRawImages()
	x.copyExtras()
	x.linkFiles()
	if len(x.result.Members) == 0 && len(x.result.Problems()) == 0 {
		x.warn("The bundle of " + x.req.Image + " holds nothing but the manifest: imgexport knows no files of such an image")
	}
}

// copyNeeded lists a file without which the bundle is useless.
func (x *exporter) copyNeeded(file, what string) {
	st, err := x.stat(file)
	if err == nil && x.claim(file, st) {
		err = x.addFile(path.Base(file), file, st)
	}
	if err != nil {
		x.refuse(fmt.Sprintf("Couldn't read %s %s for %s: %s. The image cannot be exported without it.", what, file, x.name, reason(err)))
	}
}

// copyList lists the files that a column names. Parts are not trimmed.
func (x *exporter) copyList(column, value string) {
	if !isSet(value) {
		return
	}
	for _, file := range splitList(value, ",") {
		x.data(file)
		st, err := x.stat(file)
		switch {
		case accessOf(err) == absent:
			if column != "postinstall" || !x.copyScript(file) {
				x.skipMissing(file)
				x.claim(file, st)
			}
		case err != nil:
			x.skipUnreadable(file, err)
		case !x.claim(file, st):
		case st.IsDir():
			x.warn(fmt.Sprintf("%s in %s of %s is a directory; imgexport exports only files from there. Skip.", file, column, x.req.Image))
		default:
			if err := x.addFile(path.Base(file), file, st); err != nil {
				x.skipUnreadable(file, err)
			}
		}
	}
}

// copyScript handles a postinstall script that the table lists with arguments.
// genimage accepts those, and imgexport does not. The script goes into the bundle under
// its own name, although imgimport looks for the whole value.
func (x *exporter) copyScript(value string) bool {
	end := strings.IndexFunc(value, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
	if end <= 0 {
		return false
	}
	script := value[:end]
	st, found := x.look(script)
	if !found {
		return false
	}
	if x.claim(script, st) {
		if err := x.addFile(path.Base(script), script, st); err != nil {
			x.skipUnreadable(script, err)
			return true
		}
	}
	x.error(fmt.Sprintf("The script %s is in the bundle of %s as %s, but imgimport will not restore it, because linuximage.postinstall lists it with arguments; copy it by hand after imgimport",
		script, x.name, path.Base(script)))
	return true
}

func (x *exporter) skipMissing(file string) {
	x.error("Couldn't find file " + file + " for " + x.name + ". Skip.")
}

// skipUnreadable says why a file is left out, unless that may pass.
func (x *exporter) skipUnreadable(file string, err error) {
	if own, ok := errors.AsType[source.OwnMountError](err); ok {
		x.refuse(fmt.Sprintf("%s of %s %v", file, x.req.Image, own))
		return
	}
	if accessOf(err) != passing {
		x.error("Couldn't read file " + file + " for " + x.name + ": " + reason(err) + ". Skip.")
	}
}

// addFile lists a file that st describes, links followed, as imgexport copies
// one: owned by root, with the file's time, and its mode without the bits of the umask.
func (x *exporter) addFile(name, file string, st source.Stat) error {
	content, err := x.content(file, st)
	if err == nil {
		x.add(bundle.NewRegular(name, st.Perm()&permMask, st.ModTime(), content))
	}
	return err
}

// everyoneReads are the permissions of a file that every user can read.
const everyoneReads = 0o444

// content returns the content of a file that st describes. A file that not every user
// may read is opened, so that no bundle is shown that cannot be read to its end.
func (x *exporter) content(file string, st source.Stat) (bundle.Content, error) {
	if !st.IsRegular() {
		return nil, errors.New("it is a " + st.TypeName())
	}
	if st.Perm()&everyoneReads != everyoneReads {
		f, err := x.root.Open(file)
		if err = x.noteListed(file, err); err != nil {
			return nil, err
		}
		_ = f.Close()
	}
	return bundle.NewFile(x.root, file, st)
}

// claim says which file has a base name in the bundle.
type claim struct {
	path string
	id   source.Identity // zero: there is no such file
}

// claim reserves the base name of a file for it. imgimport restores each path
// that a table lists by moving BASENAME out of the bundle, so two paths cannot
// share one (docs/rules.md, section 10). It reports whether to list the file.
func (x *exporter) claim(file string, st source.Stat) bool {
	base := path.Base(file)
	if base == "." || base == "/" || base == ".." {
		return true // not a file name: something else is wrong with it
	}
	if isReserved(base) {
		x.refuse(fmt.Sprintf("The name %s of %s is one that the bundle of %s needs itself; rename the file", base, file, x.name))
		return false
	}
	other, taken := x.claims[base]
	switch {
	case !taken:
		x.claims[base] = claim{file, st.Identity}
		return true
	case other.path == file:
		x.warn(fmt.Sprintf("%s is listed twice for %s; imgimport will restore it as %s.ORIG", file, x.req.Image, file))
	case other.id.Ino != 0 && other.id == st.Identity:
		x.warn(fmt.Sprintf("%s and %s of %s are one file; imgimport will restore only the first", other.path, file, x.req.Image))
	default:
		x.refuse(fmt.Sprintf("%s and %s have one base name, and the bundle of %s can hold one file %s; rename one of them", other.path, file, x.name, base))
	}
	return false
}
