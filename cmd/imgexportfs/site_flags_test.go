package main

import "testing"

func TestByteSizeReadsSuffixesAsPowersOf1024(t *testing.T) {
	for text, want := range map[string]byteSize{
		"1":         1,
		"268435456": 256 << 20,
		"256MiB":    256 << 20,
		"256MB":     256 << 20,
		"256M":      256 << 20,
		"256m":      256 << 20,
		" 256 M ":   256 << 20,
		"0.25G":     256 << 20,
		"1GiB":      1 << 30,
		"2k":        2048,
		"3TiB":      3 << 40,
		"512B":      512,
	} {
		var got byteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("Set(%q) = %d, %v; want %d", text, int64(got), err, int64(want))
		}
		var again byteSize
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%q prints as %q, which reads as %d, %v", text, got, int64(again), err)
		}
	}
}

func TestByteSizeSaysWhatAValidSizeLooksLike(t *testing.T) {
	for _, text := range []string{"", "B", "M", "MiB", "0", "-1", "1X", "0x10", "inf", "NaN", "1.2.3", "9E", "9999P", "99999999999999999999", "256MiBB", "0.5"} {
		got := byteSize(7)
		if err := got.Set(text); err == nil || err.Error() != "invalid size; for example 256MiB" {
			t.Errorf("Set(%q) = %d, %v", text, int64(got), err)
		} else if got != 7 {
			t.Errorf("Set(%q) failed but changed the value to %d", text, int64(got))
		}
	}
}
