package xcatsite

// A table as xCAT's schema defines it: columns in order, and the key.
type table struct {
	name    string
	columns []string
	key     []string
}

// tables are those that an export looks at, and nodegroup, which xCAT creates
// beside them. Their order is that of creation only.
var tables = []table{
	{"osimage", []string{
		"imagename", "groups", "profile", "imagetype", "description", "provmethod", "rootfstype", "nfsrootopts",
		"osdistroname", "osupdatename", "cfmdir", "osname", "osvers", "osarch", "synclists", "postscripts",
		"postbootscripts", "serverrole", "isdeletable", "kitcomponents", "environvar", "comments", "disable",
	}, []string{"imagename"}},
	{"linuximage", []string{
		"imagename", "template", "boottarget", "addkcmdline", "pkglist", "pkgdir", "otherpkglist", "otherpkgdir",
		"exlist", "postinstall", "rootimgdir", "kerneldir", "nodebootif", "otherifce", "netdrivers", "kernelver",
		"krpmver", "permission", "dump", "crashkernelsize", "partitionfile", "driverupdatesrc", "comments", "disable",
	}, []string{"imagename"}},
	{"kit", []string{
		"kitname", "basename", "description", "version", "release", "ostype", "isinternal", "kitdeployparams",
		"kitdir", "comments", "disable",
	}, []string{"kitname"}},
	{"kitrepo", []string{
		"kitreponame", "kitname", "osbasename", "osmajorversion", "osminorversion", "osarch", "compat_osbasenames",
		"kitrepodir", "comments", "disable",
	}, []string{"kitreponame"}},
	{"kitcomponent", []string{
		"kitcompname", "description", "kitname", "kitreponame", "basename", "version", "release", "serverroles",
		"kitpkgdeps", "prerequisite", "driverpacks", "kitcompdeps", "postbootscripts", "genimage_postinstall",
		"exlist", "comments", "disable",
	}, []string{"kitcompname"}},
	{"litefile", []string{"image", "file", "options", "comments", "disable"}, []string{"image", "file"}},
	{"postscripts", []string{"node", "postscripts", "postbootscripts", "comments", "disable"}, []string{"node"}},
	{"nodelist", []string{
		"node", "groups", "status", "statustime", "appstatus", "appstatustime", "primarysn", "hidden",
		"updatestatus", "updatestatustime", "zonename", "comments", "disable",
	}, []string{"node"}},
	{"nodegroup", []string{
		"groupname", "grouptype", "members", "membergroups", "wherevals", "comments", "disable",
	}, []string{"groupname"}},
	{"site", []string{"key", "value", "comments", "disable"}, []string{"key"}},
}

// lookup returns the table of that name.
func lookup(name string) (table, bool) {
	for _, t := range tables {
		if t.name == name {
			return t, true
		}
	}
	return table{}, false
}
