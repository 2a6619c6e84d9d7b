package xcatsite

import (
	"fmt"
	"maps"
	"os"
	"path"
)

// The release, architecture and profile of images that do not say otherwise.
const (
	OSVersion = "rhels9.2"
	Arch      = "x86_64"
	Profile   = "compute"
)

// ProfileDir is where xCAT keeps what genimage and packimage made for profile.
func ProfileDir(profile string) string {
	return path.Join("/install/netboot", OSVersion, Arch, profile)
}

// AddImage adds an image's rows in osimage and linuximage. Columns of osimage
// that every image needs have a value unless the caller gives another one.
func (s *Site) AddImage(name, provmethod string, osimage, linuximage Row) error {
	row := Row{
		"imagename": name, "provmethod": provmethod, "imagetype": "linux", "osname": "Linux",
		"osvers": OSVersion, "osarch": Arch, "profile": Profile,
		"osdistroname": OSVersion + "-" + Arch,
	}
	maps.Copy(row, osimage)
	if err := s.Insert("osimage", row); err != nil {
		return fmt.Errorf("add image %q: %w", name, err)
	}
	linux := Row{"imagename": name, "pkgdir": "/install/" + OSVersion + "/" + Arch}
	maps.Copy(linux, linuximage)
	if err := s.Insert("linuximage", linux); err != nil {
		return fmt.Errorf("add image %q: %w", name, err)
	}
	return nil
}

// AddStateful adds an image that is installed on a node's disk: a template
// and a package list, in files of its own.
func (s *Site) AddStateful(name string, osimage, linuximage Row) error {
	base := "/install/custom/install/rh/" + fileName(name)
	linux := Row{"template": base + ".tmpl", "pkglist": base + ".pkglist"}
	maps.Copy(linux, linuximage)
	files := map[string]string{
		base + ".tmpl":    "#INCLUDE:common.tmpl#\n%packages\n%end\n",
		base + ".pkglist": "@core\nbash\nopenssh-server\n",
	}
	for file, text := range files {
		if err := s.WriteFile(file, 0o644, []byte(text)); err != nil {
			return err
		}
	}
	return s.AddImage(name, "install", osimage, linux)
}

// Stateless says what the packed image of AddStateless is made of.
type Stateless struct {
	Kernel, Ramdisk, Rootimg []byte
}

// AddStateless adds an image that runs from memory: kernel, ram disk and a
// packed root image in the profile's directory, which bears the image's name.
func (s *Site) AddStateless(name string, parts Stateless) error {
	dir := ProfileDir(fileName(name))
	files := []struct {
		name string
		perm os.FileMode
		data []byte
	}{
		{"kernel", 0o755, parts.Kernel},
		{"initrd-stateless.gz", 0o644, parts.Ramdisk},
		{"rootimg.cpio.gz", 0o600, parts.Rootimg},
	}
	for _, f := range files {
		if err := s.WriteFile(path.Join(dir, f.name), f.perm, f.data); err != nil {
			return err
		}
	}
	return s.addNetboot(name, "netboot")
}

// AddStatelite adds an image whose root is a tree that nodes mount. The tree
// is the caller's business: TreeDir says where it goes.
func (s *Site) AddStatelite(name string, kernel, ramdisk []byte) error {
	dir := ProfileDir(fileName(name))
	if err := s.WriteFile(path.Join(dir, "kernel"), 0o755, kernel); err != nil {
		return err
	}
	if err := s.WriteFile(path.Join(dir, "initrd-statelite.gz"), 0o644, ramdisk); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Path(s.TreeDir(name)), 0o755); err != nil {
		return fmt.Errorf("make root tree: %w", err)
	}
	for file, options := range map[string]string{"/etc/hostname": "tmpfs", "/var/log/": "persistent"} {
		row := Row{"image": name, "file": file, "options": options}
		if err := s.Insert("litefile", row); err != nil {
			return err
		}
	}
	return s.addNetboot(name, "statelite")
}

// TreeDir is the root tree of a statelite image, as the site spells it.
func (s *Site) TreeDir(name string) string {
	return path.Join(ProfileDir(fileName(name)), "rootimg")
}

func (s *Site) addNetboot(name, provmethod string) error {
	pkglist := "/install/custom/netboot/rh/" + fileName(name) + ".pkglist"
	if err := s.WriteFile(pkglist, 0o644, []byte("bash\nkernel\nopenssh-server\n")); err != nil {
		return err
	}
	return s.AddImage(name, provmethod, nil, Row{
		"pkglist": pkglist, "rootimgdir": ProfileDir(fileName(name)), "permission": "755",
	})
}

// AddKit adds a kit with one repository and one component, whose directory is
// returned, as the site spells it. An image lists the component, COMPONENT,
// in its column kitcomponents.
func (s *Site) AddKit(kit, component string) (string, error) {
	dir := "/install/kits/" + kit
	repo := kit + "-" + OSVersion + "-" + Arch
	rows := []struct {
		table string
		row   Row
	}{
		{"kit", Row{"kitname": kit, "basename": kit, "version": "1.0", "release": "1", "ostype": "Linux", "isinternal": "0", "kitdir": dir}},
		{"kitrepo", Row{"kitreponame": repo, "kitname": kit, "osbasename": "rhels", "osmajorversion": "9", "osarch": Arch, "kitrepodir": dir + "/repos/" + repo}},
		{"kitcomponent", Row{"kitcompname": component, "kitname": kit, "kitreponame": repo, "basename": component, "version": "1", "release": "1", "serverroles": "compute"}},
	}
	for _, r := range rows {
		if err := s.Insert(r.table, r.row); err != nil {
			return "", fmt.Errorf("add kit %q: %w", kit, err)
		}
	}
	return dir, nil
}

// fileName makes an image's name fit for a file name; images with odd names
// get files with plain ones.
func fileName(image string) string {
	plain := []byte(image)
	for i, b := range plain {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.' && i > 0:
		default:
			plain[i] = '_'
		}
	}
	return string(plain[:min(len(plain), 100)])
}
