// Imgexportfs shows every osimage of an xCAT site as a directory and as a
// bundle that imgimport takes, and exports single bundles as imgexport does.
//
//	imgexportfs mount [flags] DIR        show the site's images below DIR
//	imgexportfs umount DIR...            end such mounts
//	imgexportfs export IMAGE [DEST] ...  write one bundle, as imgexport
//	imgexportfs list                     a table of the images
//	imgexportfs check [IMAGE...]         every problem of the images
//	imgexportfs dump DIR                 the tables as tabdump writes them
//	imgexportfs config                   the settings in force, and where they are from
//	imgexportfs version
//	imgexportfs help [COMMAND]
//
// Two hidden commands print what make install installs: man PAGE, and completion SHELL.
//
// This package turns command lines into calls: one file per command, the
// flags that commands share in site_flags.go, and the exit codes, which are
// a contract with scripts, in exit.go. What an image exports is decided in
// package xcat, and its bytes are made in package bundle.
//
// Called through a link named imgexport, the program is the export command; through one
// named mount.imgexportfs or mount.fuse.imgexportfs it is a helper of mount(8).
package main
