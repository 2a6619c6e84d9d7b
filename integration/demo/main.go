// Demo builds the site that `make demo` shows: xCAT's tables, a stateful, a
// stateless and a statelite image, and a node with postscripts of its own.
//
//	go run ./integration/demo SITE KERNEL INITRD ROOTIMG TREE
//
// SITE is the directory to make; the other operands are a kernel, a ram disk,
// a packed root image, and a root tree, which is moved into the site.
package main

import (
	"errors"
	"fmt"
	"os"

	"imgexportfs/integration/xcatsite"
)

// The images' names are made as xCAT makes them.
const (
	stateful  = "rhels9.2-x86_64-install-compute"
	stateless = "rhels9.2-x86_64-netboot-compute"
	statelite = "rhels9.2-x86_64-statelite-compute"
)

func main() {
	if err := build(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func build(args []string) error {
	if len(args) != 5 {
		return errors.New("usage: demo SITE KERNEL INITRD ROOTIMG TREE")
	}
	var parts xcatsite.Stateless
	for i, to := range []*[]byte{&parts.Kernel, &parts.Ramdisk, &parts.Rootimg} {
		data, err := os.ReadFile(args[1+i])
		if err != nil {
			return err
		}
		*to = data
	}
	site, err := xcatsite.Create(args[0])
	if err != nil {
		return err
	}
	if err := addImages(site, parts, args[4]); err != nil {
		return err
	}
	return addNode(site)
}

func addImages(site *xcatsite.Site, parts xcatsite.Stateless, tree string) error {
	if err := site.AddStateful(stateful, xcatsite.Row{"postscripts": "setupntp"}, nil); err != nil {
		return err
	}
	if err := site.AddStateless(stateless, parts); err != nil {
		return err
	}
	if err := site.AddStatelite(statelite, parts.Kernel, parts.Ramdisk); err != nil {
		return err
	}
	root := site.Path(site.TreeDir(statelite))
	if err := os.Remove(root); err != nil { // it is empty so far
		return err
	}
	return os.Rename(tree, root)
}

func addNode(site *xcatsite.Site) error {
	for _, r := range []struct {
		table string
		row   xcatsite.Row
	}{
		{"nodelist", xcatsite.Row{"node": "node1", "groups": "compute,all"}},
		{"postscripts", xcatsite.Row{"node": "xcatdefaults", "postscripts": "syslog,remoteshell", "postbootscripts": "otherpkgs"}},
		{"postscripts", xcatsite.Row{"node": "node1", "postscripts": "setupscratch"}},
		{"site", xcatsite.Row{"key": "installdir", "value": "/install"}},
	} {
		if err := site.Insert(r.table, r.row); err != nil {
			return err
		}
	}
	return nil
}
