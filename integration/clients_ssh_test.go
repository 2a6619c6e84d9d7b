package integration

import "testing"

// scp and sftp send bundles to another host and fetch them from one that has the mount,
// and go on with what was cut.
func TestSSHCopiesTheBundleOfAnExport(t *testing.T) {
	needClients(t, "scp", "sftp")
	h := startRemoteHost(t)
	site := newClientSite(t, bulkSite(t))
	for _, c := range []struct{ name, script string }{ // $1 bundle, $2 name of the copy, in the directory $3 for the other host
		{"scp to a host", `scp -S ssh -q "$1" "root@mn2:$3/$2"`},
		{"scp from a host", `scp -S ssh -q "root@mn2:$1" "$3/$2"`},
		{"scp -O to a host", `scp -S ssh -O -q "$1" "root@mn2:$3/$2"`},
		{"scp -O from a host", `scp -S ssh -O -q "root@mn2:$1" "$3/$2"`},
		{"sftp to a host", `echo "put \"$1\" \"$3/$2\"" | sftp -S ssh -q -b - root@mn2`},
		{"sftp from a host", `echo "get \"$1\" \"$3/$2\"" | sftp -S ssh -q -b - root@mn2`},
		{"sftp with one small request at a time", `echo "get \"$1\" \"$3/$2\"" | sftp -S ssh -q -B 20000 -R 1 -b - root@mn2`},
		{"sftp, the rest of a file", `head -c 1234567 "$1" > "$3/$2"; echo "reget \"$1\" \"$3/$2\"" | sftp -S ssh -q -b - root@mn2`},
		{"rsync to a host", `rsync -e ssh "$1" "root@mn2:$3/$2"`},
		{"rsync from a host", `rsync -e ssh "root@mn2:$1" "$3/$2"`},
		{"tar to a host", `tar -cf - -C "$(dirname "$1")" "$(basename "$1")" | ssh root@mn2 "tar -xOf - > '$3/$2'"`},
		{"cat to a host", `ssh root@mn2 "cat > '$3/$2'" < "$1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := site.mount(t)
			to := emptyDir(t, "to")
			for _, image := range bulkImages {
				argv := []string{"bash", "-euo", "pipefail", "-c", c.script, "bash", m.path(image + ".tgz"), image + ".tgz", to}
				process{args: argv, env: h.path}.run(t)
			}
			site.expectBundles(t, to)
		})
	}
}
