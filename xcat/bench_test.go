package xcat

import (
	"os/exec"
	"testing"
)

// BenchmarkExport measures what a lookup of an image costs, without reading the
// database.
func BenchmarkExport(b *testing.B) {
	root := b.TempDir()
	out, err := exec.Command("tar", "xzpf", "../integration/testdata/conformance/site.tar.gz", "-C", root).CombinedOutput()
	if err != nil {
		b.Fatalf("unpack the site: %v: %s", err, out)
	}
	site, err := OpenSite(b.Context(), Config{Root: root, Getenv: func(string) string { return "" }})
	must(b, err)
	b.Cleanup(func() { _ = site.Close() })
	catalog, err := site.Catalog(b.Context())
	must(b, err)
	for _, image := range []string{"c01_install_full", "c02_tmpl_compute", "c10_netboot_full", "c20_statelite", "c40_kits_two"} {
		b.Run(image, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := catalog.Export(b.Context(), site.Root(), Request{Image: image, Shallow: true})
				must(b, err)
			}
		})
	}
}
