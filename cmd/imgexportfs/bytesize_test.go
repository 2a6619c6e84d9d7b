package main

import "testing"

func TestByteSizeReadsSuffixesAsPowersOf1024(t *testing.T) {
	for text, want := range map[string]byteSize{
		"1":         1,
		"268435456": 256 << 20,
		"256MiB":    256 << 20,
		"256MB":     256 << 20,
		"256m":      256 << 20,
		" 256 M ":   256 << 20,
		"0.25G":     256 << 20,
		"2k":        2048,
		"3TiB":      3 << 40,
		"512B":      512,
	} {
		var got byteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("Set(%q) = %d, %v; want %d", text, int64(got), err, int64(want))
		}
	}
}

func TestByteSizeRefusesWhatIsNoSize(t *testing.T) {
	for _, text := range []string{"", "B", "M", "MiB", "0", "-1", "1X", "1e3", "0x10", "inf", "NaN", "1.2.3", "9E", "99999999999999999999", "256MiBB", "0.5"} {
		got := byteSize(7)
		if err := got.Set(text); err == nil {
			t.Errorf("Set(%q) = %d, want an error", text, int64(got))
		} else if got != 7 {
			t.Errorf("Set(%q) failed but changed the value to %d", text, int64(got))
		}
	}
}

func TestByteSizePrintsThreeDigits(t *testing.T) {
	for size, want := range map[byteSize]string{
		0:                  "0 B",
		1023:               "1023 B",
		1024:               "1 KiB",
		1536:               "1.50 KiB",
		10<<10 + 512:       "10.5 KiB",
		1023<<10 + 1023:    "1.00 MiB",
		256 << 20:          "256 MiB",
		1<<30 + 419<<20:    "1.41 GiB",
		123<<30 + 512<<20:  "124 GiB",
		(1 << 63) - 1:      "8 EiB",
		999<<40 + 100<<30:  "999 TiB",
		1023<<30 + 800<<20: "1.00 TiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d prints as %q, want %q", int64(size), got, want)
		}
	}
}
