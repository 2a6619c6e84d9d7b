package main

import (
	"fmt"
	"strconv"
	"strings"
)

// mountOptions is the value of -o, in the manner of mount(8).
type mountOptions struct {
	allowOther  bool
	passthrough bool
	umask       uint32
}

// privateUmask shows files to their owner alone: root images hold shadow
// files and host keys.
const privateUmask = 0o077

func newMountOptions() *mountOptions { return &mountOptions{umask: privateUmask} }

// Set reads one -o, which may be given several times.
func (o *mountOptions) Set(list string) error {
	for option := range strings.SplitSeq(list, ",") {
		if err := o.set(option); err != nil {
			return err
		}
	}
	return nil
}

func (o *mountOptions) set(option string) error {
	name, value, hasValue := strings.Cut(option, "=")
	switch {
	case option == "ro": // always
	case option == "allow_other":
		o.allowOther = true
	case option == "passthrough":
		o.passthrough = true
	case name == "umask" && hasValue:
		mask, err := strconv.ParseUint(value, 8, 32)
		if err != nil || mask > 0o777 {
			return fmt.Errorf("umask=%s: not an octal number of up to three digits, such as 022", value)
		}
		o.umask = uint32(mask)
	case option == "rw":
		return fmt.Errorf("option rw: the mount is always read-only")
	default:
		return fmt.Errorf("unknown option %q; there are allow_other, umask=NNN, passthrough and ro", option)
	}
	return nil
}

// String is for the flag library, which shows it as the default.
func (o *mountOptions) String() string {
	if o == nil {
		return ""
	}
	text := fmt.Sprintf("umask=%03o", o.umask)
	if o.allowOther {
		text += ",allow_other"
	}
	if o.passthrough {
		text += ",passthrough"
	}
	return text
}
