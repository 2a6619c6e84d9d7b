package xcat

import "strings"

// shareDir is where xCAT installs the files that come with it.
const shareDir = "/opt/xcat/share/xcat"

// searchProfile looks for the file of an image's profile with the given
// suffix, below the site's own directory of a kind and then below xCAT's
// (docs/rules.md, section 3). It returns "" if there is none.
func (x *exporter) searchProfile(kind, suffix string) string {
	profile, vers, arch := x.osimage["profile"], x.osimage["osvers"], x.osimage["osarch"]
	for _, base := range x.catalog.profileDirs(kind) {
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

// profileDirs returns the directories that hold the files of profiles of a kind.
func (c *Catalog) profileDirs(kind string) []string {
	return []string{c.installDir() + "/custom/" + kind, shareDir + "/" + kind}
}

// netbootDir returns the directory where genimage puts the images of the profile if the
// table does not name one.
func (x *exporter) netbootDir() string {
	base := x.catalog.installDir() + "/netboot"
	return base + "/" + x.distro(base) + "/" + x.osimage["osarch"] + "/" + x.osimage["profile"]
}

// distro returns the directory below base that is for the image's release. If there is
// none, imgexport looks in base itself.
func (x *exporter) distro(base string) string {
	dirs := releaseDirs(x.osimage["osvers"])
	last := len(dirs) - 1
	for _, dir := range dirs[:last] {
		if x.exists(base + "/" + dir) {
			return dir
		}
	}
	return dirs[last]
}

// releaseDirs returns the names of directories that may be for a release, the best
// first: rhels9.2, rhels9., rhels9 and so on. The last one counts if the others are not
// there.
func releaseDirs(osvers string) []string {
	if strings.Contains(osvers, "win") {
		osvers = "windows"
	}
	var dirs []string
	for ; isSet(osvers); osvers = osvers[:len(osvers)-1] {
		dirs = append(dirs, osvers)
	}
	return append(dirs, osvers)
}
