package xcat

import "testing"

// BenchmarkExport measures what a lookup of an image costs, without reading
// the database.
func BenchmarkExport(b *testing.B) {
	site, err := OpenSite(b.Context(), Config{Root: unpackSite(b), Getenv: noEnv})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = site.Close() })
	catalog, err := site.Catalog(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, image := range []string{"c01_install_full", "c02_tmpl_compute", "c10_netboot_full", "c20_statelite", "c40_kits_two"} {
		b.Run(image, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := catalog.Export(b.Context(), site.Root(), Request{Image: image, Shallow: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("look at the database", func(b *testing.B) {
		for b.Loop() {
			if _, err := site.Catalog(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
