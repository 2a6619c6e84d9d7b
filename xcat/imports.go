package xcat

import (
	"fmt"
	"regexp"
	"strings"
)

// What imgimport cannot take, although imgexport makes a bundle of it: imgimport gives
// paths to a shell, reads litefile.csv by its quotes, and stops in the middle or says
// nothing.

// shellSpecial are the bytes that mean something to a shell between words and in them.
const shellSpecial = " \t\n&$'\"`;|()<>\\"

// markupName matches names that imgimport takes for markup.
var markupName = regexp.MustCompile(`<.+>`)

// checkImport refuses an image whose name imgimport does not take.
func (x *exporter) checkImport() bool {
	if markupName.MatchString(x.req.Image) {
		x.refuse(fmt.Sprintf("image name %q: imgimport does not take a name with text between < and >; rename the image", x.req.Image))
	}
	return !x.result.Refused
}

// checkRootDir says that imgimport will not unpack the root tree below a directory.
func (x *exporter) checkRootDir(dir string) {
	if special := firstSpecial(dir); special != "" {
		x.error(fmt.Sprintf("imgimport will leave the root image tree of %s packed, and say that it has imported it, because linuximage.rootimgdir %s holds %s; unpack %s/%s by hand after imgimport, with zcat and cpio -idum, or move the image",
			x.req.Image, dir, special, dir, treeName))
	}
}

// checkExtra refuses an extra file or directory that imgimport would stop at, after it
// has written the tables.
func (x *exporter) checkExtra(src, dest string) bool {
	for _, part := range []struct{ what, text, advice string }{
		{"the name of the image", x.name, "rename the image, or export it without -e"},
		{"its path", src, "rename it"},
		{"its destination " + dest, dest, "name another one"},
	} {
		if special := firstSpecial(part.text); special != "" {
			x.refuse(fmt.Sprintf("Extra file %s of %s: imgimport would stop in the middle, because %s holds %s; %s", src, x.req.Image, part.what, special, part.advice))
			return false
		}
	}
	return true
}

// checkLiteRow says which row of the table litefile imgimport will not restore.
func (x *exporter) checkLiteRow(row Row) {
	where := fmt.Sprintf("The row of %q in the table litefile for %s", row["file"], x.req.Image)
	switch text := row["file"] + row["options"]; {
	case strings.Contains(text, "\n"):
		x.error(where + " holds a newline, at which imgimport splits it; correct the row, or add it by hand after imgimport")
	case strings.Contains(text, `"`):
		// imgexport and its exit code say nothing of it.
		x.warn(where + ` holds a ", at which imgimport cuts it; correct the row after imgimport`)
	}
}

// checkLiteName says that imgimport will not restore any row of litefile of an image.
func (x *exporter) checkLiteName() {
	if strings.Contains(x.name, `"`) {
		x.error(fmt.Sprintf(`imgimport will not restore the rows of the table litefile for %s, because the image's name holds a "; add them by hand after imgimport, or rename the image`, x.req.Image))
	}
}

// firstSpecial returns the first byte that means something to a shell, as a message shows
// it, or "".
func firstSpecial(text string) string {
	i := strings.IndexAny(text, shellSpecial)
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%q", text[i:i+1])
}
