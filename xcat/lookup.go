package xcat

import (
	"strings"
)

// shareDir is where xCAT installs the files that come with it.
const shareDir = "/opt/xcat/share/xcat"

// searchProfile looks for the file of an image's profile with the given
// suffix, below the site's own directory of a kind and then below xCAT's
// (RULES.md, section 3). It returns "" if there is none.
func (x *exporter) searchProfile(kind, suffix string) string {
	profile, vers, arch := x.osimage["profile"], x.osimage["osvers"], x.osimage["osarch"]
	for _, base := range []string{x.catalog.installDir() + "/custom/" + kind, shareDir + "/" + kind} {
		dir := base + "/" + x.distro(base)
		for _, name := range []string{
			profile + "." + vers + "." + arch + "." + suffix,
			profile + "." + vers + "." + suffix,
			profile + "." + arch + "." + suffix,
			profile + "." + suffix,
		} {
			if file := dir + "/" + name; x.exists(file) {
				return file
			}
		}
	}
	return ""
}

// netbootDir returns the directory where genimage puts the images of the profile if the
// table does not name one.
func (x *exporter) netbootDir() string {
	base := x.catalog.installDir() + "/netboot"
	return base + "/" + x.distro(base) + "/" + x.osimage["osarch"] + "/" + x.osimage["profile"]
}

// distro returns the directory below base that is for the image's release:
// rhels9.2, or else rhels9., rhels9 and so on. It is "" if there is none, and
// imgexport then looks in base itself.
func (x *exporter) distro(base string) string {
	dir := x.osimage["osvers"]
	if strings.Contains(dir, "win") {
		dir = "windows"
	}
	for isSet(dir) && !x.exists(base+"/"+dir) {
		dir = dir[:len(dir)-1]
	}
	return dir
}
