package main

// examples has command lines for each command, and for "" those of a first visit. They
// are in the help and on the man page.
var examples = map[string][]string{
	"": {
		"imgexportfs mount --daemon /mnt/images",
		"cp /mnt/images/rhels9.4-x86_64-netboot-compute.tgz /backup/",
		"imgexportfs umount /mnt/images",
	},
	"mount":    {"imgexportfs mount --daemon --log-file /var/log/imgexportfs.log /mnt/images"},
	"umount":   {"imgexportfs umount --wait /mnt/images"},
	"status":   {"imgexportfs status /mnt/images"},
	exportName: {"imgexportfs export rhels9.4-x86_64-netboot-compute /backup/"},
	"verify":   {"imgexportfs verify /backup"},
	"list":     {"imgexportfs list --no-size"},
	"check":    {"imgexportfs check 'rhels9*'"},
	"dump":     {"imgexportfs dump /tmp/tables"},
	"config":   {"imgexportfs config"},
	"version":  {"imgexportfs version"},
	helpName:   {"imgexportfs help export"},
}
