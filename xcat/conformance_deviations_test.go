package xcat

import (
	"slices"
	"strings"
)

// problemLines says for cases that are the same as imgexport's which lines
// must be added to its messages: it says nothing of what is wrong.
var problemLines = map[string]func(*outcome){
	"c18_pkglist_is_dir": after("data: /opt/xcat/share/xcat/netboot/rh",
		"warning: /opt/xcat/share/xcat/netboot/rh in pkglist of c18_pkglist_is_dir is a directory; imgexport exports only files from there. Skip."),
	"c35_raw_x86": after("data: Exporting c35_raw_x86 to CWD...",
		"warning: The bundle of c35_raw_x86 holds nothing but the manifest: imgexport knows no files of such an image"),
	"c86_esx": after("data: Exporting c86_esx to CWD...",
		"warning: The bundle of c86_esx holds nothing but the manifest: imgexport knows no files of such an image"),
}

// deviations says for each case of verdict "fixed" what differs from what
// imgexport did, and thereby that nothing else does.
var deviations = map[string]func(*outcome){
	"-c69dash": rebuiltAs("-c69dash"),
	"c69_HOME": rebuiltAs("c69$HOME"), "c69_amp": rebuiltAs("c69&amp"),
	"c69_quote": rebuiltAs("c69'quote"), "c69_semi": rebuiltAs("c69;semi"),

	"c13_missing_listed": all(
		replaceLine("error: Couldn't find file /opt/xcat/share/xcat/netboot/rh/compute.postinstall arg1 arg2 for c13_missing_listed. Skip.",
			"error: The script /opt/xcat/share/xcat/netboot/rh/compute.postinstall is in the bundle of c13_missing_listed as compute.postinstall, but imgimport will not restore it, because linuximage.postinstall lists it with arguments; copy it by hand after imgimport"),
		addMember("0755 compute.postinstall sha256:a8076d3d28d21e02 size:10")),

	// The rows of the real name and of each group.
	"c20_statelite_sp": setLitefile(
		`"c20_statelite_sp","/etc/grp-1","con",,`,
		`"c20_statelite_sp","/etc/img-1","link,persistent",,`),
	"c20_statelite_groups2": setLitefile(
		`"c20_statelite_groups2","/etc/grp-1","con",,`,
		`"c20_statelite_groups2","/etc/grp-other","con",,`),

	// A stub before each element that stands alone.
	"c41_kit_one": stub("kit", "kitA-1.0-x86_64"),
	"c42_kit_dirname_differs": all(stub("kit", "kitC"), stub("kitrepo", "kitC-rhels9-x86_64"), func(o *outcome) {
		for i := range o.members {
			o.members[i] = strings.Replace(o.members[i], " otherdir", " kitC", 1)
		}
		slices.Sort(o.members)
	}),
	"c43_kit_dir_missing":    all(stub("kit", "kitD"), stub("kitrepo", "kitD-rhels9-x86_64")),
	"c44_kit_no_dir_no_repo": stub("kit", "kitE"),
	"c49_kitcomp_trailing":   stub("kit", "kitA-1.0-x86_64"),

	"c52_extra_dir":            addMember("0644 extra/install/extras/dir1/.hid " + hiddenFile),
	"c53_extra_dir_dest":       addMember("0644 extra/install/extras/dir1/.hid " + hiddenFile),
	"c56_extra_trailing_slash": addMember("0644 extra/install/extras/dir1/.hid " + hiddenFile),
	"c55_extra_multi": all(
		addMember("0644 extra/install/extras/dir1/.hid "+hiddenFile),
		removeMember("0755 extra/install/extras/emptyd dir"),
		func(o *outcome) {
			o.manifest = strings.Replace(o.manifest, "  <extra>\n    <dest>/install/extras/emptyd</dest>\n    <src>/install/extras/emptyd</src>\n  </extra>\n", "", 1)
		},
		after("error: Can not find Extra file /nonexist.  Argument will be ignored",
			"warning: Extra directory /install/extras/emptyd of c02_tmpl_compute is left out: it holds nothing that imgimport would copy, and imgimport fails on such a directory")),

	"c62_cr": func(o *outcome) {
		o.manifest = strings.ReplaceAll(o.manifest, "\r", "&#13;")
		o.manifest = strings.Replace(o.manifest, "    <serverrole> </serverrole>\n", "", 1)
	},

	"c66_spacepath":  addMember("0644 sp ace.tmpl sha256:ff07411969105ca5 size:7"),
	"c67_dollarpath": addMember("0644 $HOME.tmpl sha256:08b53b8b416b4ad6 size:8"),
	"c67_quotepath":  addMember("0644 quo'te.tmpl sha256:ca90efe7f84e754a size:3"),
	"c67_shellpath":  addMember("0644 amp&semi;x.tmpl sha256:9cc2f3776a80c511 size:5"),
	"c67_globpath":   removeMember("0644 glob1.tmpl sha256:c0abc1cadb857cf5 size:7"),
}

const hiddenFile = "sha256:aaa9402664f1a41f size:1"

// refusals says for each case of verdict "refuse" all that must be said.
var refusals = map[string][]string{
	"c12_dir_p_none": {
		"data: Exporting c12_dir_p_none to CWD...",
		"error: Couldn't find compressed rootimg for c12_dir_p_none",
	},
	"c14_collision": {
		"data: Exporting c14_collision to CWD...",
		"data: /install/netboot/rhels9.2/x86_64/compute/kernel",
		"data: /install/netboot/rhels9.2/x86_64/compute/initrd-stateless.gz",
		"data: /install/netboot/rhels9.2/x86_64/compute/rootimg.cpio.xz",
		"data: /install/custom/netboot/rh/dirA/same.pkglist",
		"data: /install/custom/netboot/rh/dirB/same.pkglist",
		"error: /install/custom/netboot/rh/dirA/same.pkglist and /install/custom/netboot/rh/dirB/same.pkglist have one base name, and the bundle of c14_collision can hold one file same.pkglist; rename one of them",
		"data: /install/custom/netboot/rh/dirA/same.pkglist",
		"warning: /install/custom/netboot/rh/dirA/same.pkglist is listed twice for c14_collision; imgimport will restore it as /install/custom/netboot/rh/dirA/same.pkglist.ORIG",
	},
	"c14_collision_manifest": {
		"data: Exporting c14_collision_manifest to CWD...",
		"data: /install/netboot/rhels9.2/x86_64/compute/kernel",
		"data: /install/netboot/rhels9.2/x86_64/compute/initrd-stateless.gz",
		"data: /install/netboot/rhels9.2/x86_64/compute/rootimg.cpio.xz",
		"data: /install/custom/netboot/rh/dirA/manifest.xml",
		"error: Couldn't find file /install/custom/netboot/rh/dirA/manifest.xml for c14_collision_manifest. Skip.",
		"error: The name manifest.xml of /install/custom/netboot/rh/dirA/manifest.xml is one that the bundle of c14_collision_manifest needs itself; rename the file",
	},
	"c22_statelite_notree": {
		"data: Exporting c22_statelite_notree to CWD...",
		"error: There is no root image tree /install/netboot/rhels9.2/x86_64/p_gz/rootimg for c22_statelite_notree; make it with genimage",
	},
	"c33_s390x_nodir": {
		"data: Exporting c33_s390x_nodir to CWD...",
		"error: Could not open image files in directory /install/netboot/sles15/s390x/znone",
		"error: There is no image file *.img for c33_s390x_nodir in /install/netboot/sles15/s390x/znone; imgimport refuses a bundle without one",
	},
	"c34_s390x_emptydir": {
		"data: Exporting c34_s390x_emptydir to CWD...",
		"error: There is no image file *.img for c34_s390x_emptydir in /install/netboot/sles15/s390x/zempty; imgimport refuses a bundle without one",
	},
	"c63_ctrl": {
		"data: Exporting c63_ctrl to CWD...",
		"error: Table osimage, column comments of c63_ctrl: byte 0x07 at offset 4 of the value cannot be in a manifest, and imgimport would reject all of it; correct the value",
	},
	"c64_latin1": {
		"data: Exporting c64_latin1 to CWD...",
		"error: Table osimage, column comments of c64_latin1: byte 0xe9 at offset 7 of the value cannot be in a manifest, and imgimport would reject all of it; correct the value",
	},
	"c69_slash": {
		"data: Exporting c69/slash to CWD...",
		`error: image name "c69/slash": a file name cannot hold a slash or a NUL byte; rename the image`,
	},
	"c83_statelite_substr": {
		"data: Exporting c83_statelite_substr to CWD...",
		"error: Exporting images with 'provemethod' statelite2 is not supported. Hint: install, netboot, statelite, or raw",
	},
	"c83_substr_provmethod": {
		"data: Exporting c83_substr_provmethod to CWD...",
		"error: Exporting images with 'provemethod' xinstallx is not supported. Hint: install, netboot, statelite, or raw",
	},
}

func all(changes ...func(*outcome)) func(*outcome) {
	return func(o *outcome) {
		for _, change := range changes {
			change(o)
		}
	}
}

// after inserts a message behind another one.
func after(line, added string) func(*outcome) {
	return func(o *outcome) {
		i := slices.Index(o.messages, line)
		o.messages = slices.Insert(o.messages, i+1, added)
	}
}

func replaceLine(old, new string) func(*outcome) {
	return func(o *outcome) { o.messages[slices.Index(o.messages, old)] = new }
}

func addMember(line string) func(*outcome) {
	return func(o *outcome) {
		o.members = append(o.members, line)
		slices.Sort(o.members)
	}
}

func removeMember(line string) func(*outcome) {
	return func(o *outcome) {
		i := slices.Index(o.members, line)
		o.members = slices.Delete(o.members, i, i+1)
	}
}

func setLitefile(lines ...string) func(*outcome) {
	return func(o *outcome) { o.litefile = strings.Join(lines, "\n") + "\n" }
}

// stub puts an element with nothing but the name before the first of its kind.
func stub(element, name string) func(*outcome) {
	return func(o *outcome) {
		open := "  <" + element + ">\n"
		o.manifest = strings.Replace(o.manifest, open, open+"    <name>"+name+"</name>\n  </"+element+">\n"+open, 1)
	}
}

// rebuiltAs is the outcome of images whose names imgexport's shell chokes on:
// what it makes of their like, under the right name.
func rebuiltAs(image string) func(*outcome) {
	return func(o *outcome) {
		*o = outcome{
			messages: []string{
				"data: Exporting " + image + " to CWD...",
				"data: /install/custom/install/rh/plain.tmpl",
				"data: Compressing " + image + " bundle.  Please be patient.",
			},
			members:  []string{"0644 manifest.xml", "0644 plain.tmpl sha256:04dafd5c9a56220f size:7"},
			manifest: strings.ReplaceAll(plainManifest, "IMAGE", strings.ReplaceAll(image, "&", "&amp;")),
		}
	}
}

// plainManifest is imgexport's manifest of CASE_name, with IMAGE for the name.
const plainManifest = `<?xml version="1.0"?>
<xcatimage>
  <linuximage>
    <imagename>IMAGE</imagename>
    <pkgdir>/install/rhels9.2/x86_64</pkgdir>
    <template>/install/custom/install/rh/plain.tmpl</template>
  </linuximage>
  <media>required</media>
  <osimage>
    <imagename>IMAGE</imagename>
    <imagetype>linux</imagetype>
    <osarch>x86_64</osarch>
    <osdistroname>rhels9.2-x86_64</osdistroname>
    <osname>Linux</osname>
    <osvers>rhels9.2</osvers>
    <profile>compute</profile>
    <provmethod>install</provmethod>
  </osimage>
</xcatimage>
`
