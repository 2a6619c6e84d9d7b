package integration

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// expectationOf turns a recording into what this project must answer: the
// same, but for the differences written down below. A verdict "fixed" or
// "refuse" without an entry there is an error, and so is an entry too many.
func expectationOf(t *testing.T, c recorded, site string) *expectation {
	t.Helper()
	e, err := loadRecording(c)
	if err != nil {
		t.Fatal(err)
	}
	fix, fixed := fixes[c.Case]
	names, refused := refusals[c.Case]
	if fixed != (c.Verdict == "fixed") || refused != c.refused() {
		t.Fatalf("verdict %q, but differences written down: fixed %v, refused %v", c.Verdict, fixed, refused)
	}
	if fixed {
		fix(edit{t: t, c: c, site: site, expectation: e})
	}
	if refused {
		e.bundle, e.exit = "", 1
		e.says = append(e.says, phrase{"Error", names})
	}
	e.says = append(e.says, remarks[c.Case]...)
	e.settle()
	return e
}

// settle makes the lines of the generated members and of the tree agree with
// what is expected of their content.
func (e *expectation) settle() {
	if e.bundle == "" {
		return
	}
	generated := map[string][]byte{"manifest.xml": e.manifest, "litefile.csv": e.litefile}
	for i, line := range e.members {
		mode, rest, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(rest, " sha256:")
		base, top := cutTop(name)
		if content, ok := generated[base]; top && ok {
			e.members[i] = memberLine(mode, name, content)
		}
		if line == "0700 . dir" {
			e.members[i] = anyTop // its mode does not count
		}
	}
	slices.Sort(e.members)
	if e.tree != nil {
		e.tree = append(e.tree, newlineFile)
		slices.Sort(e.tree)
	}
}

// anyTop stands for the archive's "./" whatever its mode.
const anyTop = "any mode . dir"

// newlineFile is in the site's statelite tree; imgexport's cpio loses it
// without a word (docs/rules.md, section 8).
const newlineFile = `100644 0:0 'rootimg/etc/new\nline' nlink:1 sha256:1843653496800edf size:2`

func memberLine(mode, name string, content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%s %s sha256:%x size:%d", mode, name, sum[:8], len(content))
}

// remarks are lines about what imgexport does without a word.
var remarks = map[string][]phrase{
	"c14_collision":           {{"Warning", []string{"/install/custom/netboot/rh/dirA/same.pkglist", "twice"}}},
	"c18_pkglist_is_dir":      {{"Warning", []string{"/opt/xcat/share/xcat/netboot/rh", "pkglist", "c18_pkglist_is_dir", "directory"}}},
	"c20_statelite":           {{"Warning", []string{`"/etc/a \"quoted\" file"`, "litefile", "c20_statelite", "imgimport"}}},
	"c42_kit_dirname_differs": {{"Warning", []string{"kitC", "otherdir", "kitdir", "kitrepodir", "imgimport"}}},
	"c35_raw_x86":             {{"Warning", []string{"c35_raw_x86", "manifest"}}},
	"c86_esx":                 {{"Warning", []string{"c86_esx", "manifest"}}},
}

// refusals say what the refusing line must name, where imgexport makes a
// bundle that loses something or that imgimport cannot use.
var refusals = map[string][]string{
	"c12_dir_p_none":         {"Couldn't find compressed rootimg for c12_dir_p_none"},
	"c14_collision":          {"same.pkglist", "rename", "/install/custom/netboot/rh/dirA/same.pkglist", "/install/custom/netboot/rh/dirB/same.pkglist"},
	"c14_collision_manifest": {"manifest.xml", "/install/custom/netboot/rh/dirA/manifest.xml", "rename"},
	"c22_statelite_notree":   {"/install/netboot/rhels9.2/x86_64/p_gz/rootimg", "c22_statelite_notree", "genimage"},
	"c33_s390x_nodir":        {".img", "/install/netboot/sles15/s390x/znone", "c33_s390x_nodir"},
	"c34_s390x_emptydir":     {".img", "/install/netboot/sles15/s390x/zempty", "c34_s390x_emptydir"},
	"c63_ctrl":               {"osimage", "comments", "c63_ctrl", "0x07", "4"},   // "bell", then the byte
	"c64_latin1":             {"osimage", "comments", "c64_latin1", "0xe9", "7"}, // "latin1 ", then the byte
	"c69_slash":              {"c69/slash"},
	"c83_statelite_substr":   {"statelite2", "install, netboot, statelite, or raw"},
	"c83_substr_provmethod":  {"xinstallx", "install, netboot, statelite, or raw"},
}

// edit changes an expectation.
type edit struct {
	t    *testing.T
	c    recorded
	site string // where the recorded site is unpacked
	*expectation
}

// fixes are the exact differences of the cases with the verdict "fixed".
var fixes = map[string]func(e edit){
	"-c69dash":  func(e edit) { e.likeCASEname() },
	"c69_HOME":  func(e edit) { e.likeCASEname() },
	"c69_amp":   func(e edit) { e.likeCASEname() },
	"c69_quote": func(e edit) { e.likeCASEname() },
	"c69_semi":  func(e edit) { e.likeCASEname() },

	"c66_spacepath":  func(e edit) { e.addFile("sp ace.tmpl", "/install/custom/install/rh/sp ace.tmpl") },
	"c67_dollarpath": func(e edit) { e.addFile("$HOME.tmpl", "/install/custom/install/rh/$HOME.tmpl") },
	"c67_quotepath":  func(e edit) { e.addFile("quo'te.tmpl", "/install/custom/install/rh/quo'te.tmpl") },
	"c67_shellpath":  func(e edit) { e.addFile("amp&semi;x.tmpl", "/install/custom/install/rh/amp&semi;x.tmpl") },
	"c67_globpath":   func(e edit) { e.removeMember("glob1.tmpl") }, // only glob* itself is listed

	"c13_missing_listed": func(e edit) {
		const postinstall = "/opt/xcat/share/xcat/netboot/rh/compute.postinstall"
		e.addFile("compute.postinstall", postinstall)
		e.removeError("Couldn't find file " + postinstall + " arg1 arg2 for c13_missing_listed. Skip.")
		e.says = append(e.says, phrase{"Error", []string{postinstall, "compute.postinstall", "imgimport", "linuximage.postinstall", "arguments"}})
	},
	"c20_statelite_sp": func(e edit) {
		e.litefile = []byte(`"c20_statelite_sp","/etc/grp-1","con",,` + "\n" +
			`"c20_statelite_sp","/etc/img-1","link,persistent",,` + "\n")
	},
	"c20_statelite_groups2": func(e edit) {
		e.litefile = []byte(`"c20_statelite_groups2","/etc/grp-1","con",,` + "\n" +
			`"c20_statelite_groups2","/etc/grp-other","con",,` + "\n")
	},

	"c41_kit_one":          func(e edit) { e.stub("kit", "kitA-1.0-x86_64") },
	"c49_kitcomp_trailing": func(e edit) { e.stub("kit", "kitA-1.0-x86_64") },
	"c42_kit_dirname_differs": func(e edit) {
		e.stub("kit", "kitC")
		e.stub("kitrepo", "kitC-rhels9-x86_64")
		for i, line := range e.members {
			e.members[i] = strings.Replace(line, "/otherdir", "/kitC", 1)
		}
	},
	"c43_kit_dir_missing": func(e edit) {
		e.stub("kit", "kitD")
		e.stub("kitrepo", "kitD-rhels9-x86_64")
	},
	"c44_kit_no_dir_no_repo": func(e edit) { e.stub("kit", "kitE") },

	"c52_extra_dir":            func(e edit) { e.addHidden() },
	"c53_extra_dir_dest":       func(e edit) { e.addHidden() },
	"c56_extra_trailing_slash": func(e edit) { e.addHidden() },
	"c55_extra_multi": func(e edit) {
		e.addHidden()
		e.removeMember("extra/install/extras/emptyd")
		e.replaceManifest("  <extra>\n    <dest>/install/extras/emptyd</dest>\n    <src>/install/extras/emptyd</src>\n  </extra>\n", "")
		e.says = append(e.says, phrase{"Warning", []string{"/install/extras/emptyd", "imgimport"}})
	},

	"c62_cr": func(e edit) {
		e.replaceManifest("\r", "&#13;")
		e.replaceManifest("    <serverrole> </serverrole>\n", "")
	},
}

// likeCASEname is for images with rows and files as those of CASE_name, whose
// recording is good, and names that imgexport's shell trips over.
func (e edit) likeCASEname() {
	e.t.Helper()
	const plain = "CASE_name"
	other, err := loadRecording(recorded{Case: plain, Bundle: ptr(plain + ".tgz")})
	if err != nil {
		e.t.Fatal(err)
	}
	*e.expectation = *other
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(e.c.Image)); err != nil {
		e.t.Fatal(err)
	}
	// XML::Simple leaves the apostrophe as it is.
	inXML := strings.ReplaceAll(escaped.String(), "&#39;", "'")
	e.bundle = e.c.Image + ".tgz"
	e.stdout = strings.ReplaceAll(e.stdout, plain, e.c.Image)
	e.manifest = []byte(strings.ReplaceAll(string(e.manifest), plain, inXML))
	for i, line := range e.members {
		e.members[i] = strings.Replace(line, "./"+plain, "./"+e.c.Image, 1)
	}
}

func ptr[T any](v T) *T { return &v }

// addFile expects one more member, with the mode and content of a file of the
// site.
func (e edit) addFile(name, source string) {
	e.t.Helper()
	path := filepath.Join(e.site, source)
	data, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		e.t.Fatal(err)
	}
	mode := fmt.Sprintf("%04o", info.Mode().Perm()&0o755)
	e.members = append(e.members, memberLine(mode, e.top()+name, data))
}

// addHidden expects the dot file of the extra directory.
func (e edit) addHidden() {
	e.t.Helper()
	e.addFile("extra/install/extras/dir1/.hid", "/install/extras/dir1/.hid")
}

// removeMember expects one member less.
func (e edit) removeMember(name string) {
	e.t.Helper()
	before := len(e.members)
	e.members = slices.DeleteFunc(e.members, func(line string) bool {
		_, rest, _ := strings.Cut(line, " ")
		return rest == e.top()+name+" dir" || strings.HasPrefix(rest, e.top()+name+" sha256:")
	})
	if len(e.members) != before-1 {
		e.t.Fatalf("%d members are %q in the recording, want 1", before-len(e.members), name)
	}
}

// removeError expects one error line less.
func (e edit) removeError(text string) {
	e.t.Helper()
	i := slices.Index(e.errors, "Error: "+text)
	if i < 0 {
		e.t.Fatalf("no error line %q in the recording", text)
	}
	e.errors = slices.Delete(e.errors, i, i+1)
}

// stub expects an element with nothing but a name before the only one of its
// kind (docs/rules.md, section 10).
func (e edit) stub(element, name string) {
	e.t.Helper()
	open := "  <" + element + ">\n"
	stub := open + "    <name>" + name + "</name>\n  </" + element + ">\n"
	e.replaceManifest(open, stub+open)
}

// replaceManifest expects new for every old, of which there must be one.
func (e edit) replaceManifest(old, new string) {
	e.t.Helper()
	if n := strings.Count(string(e.manifest), old); n == 0 || n > 1 && len(old) > 1 {
		e.t.Fatalf("%q is %d times in the recorded manifest", old, n)
	}
	e.manifest = []byte(strings.ReplaceAll(string(e.manifest), old, new))
}

// top is what the names of an image's members start with.
func (e edit) top() string { return "./" + strings.TrimSuffix(e.bundle, ".tgz") + "/" }

func TestEveryVerdictIsSpelledOut(t *testing.T) {
	site := conformanceSite(t)
	for _, c := range loadCases(t) {
		t.Run(c.Case, func(t *testing.T) {
			e := expectationOf(t, c, site)
			if (e.bundle != "") != (len(e.members) > 0 && len(e.manifest) > 0 && !c.refused()) {
				t.Errorf("bundle %q with %d members and a manifest of %d bytes", e.bundle, len(e.members), len(e.manifest))
			}
			if wantError := e.exit != 0; wantError != hasErrors(e) {
				t.Errorf("exit code %d with error lines %q and %v", e.exit, e.errors, e.says)
			}
		})
	}
}

func hasErrors(e *expectation) bool {
	return len(e.errors) > 0 || slices.ContainsFunc(e.says, func(p phrase) bool { return p.level == "Error" })
}
