package verify

import (
	"fmt"
	"strconv"
)

// Damage says what is wrong with the bytes of a bundle.
type Damage struct {
	Member string // of the archive, below the top directory; "" if none was being read
	Offset int64  // in the bundle, of the gzip member with the damage; -1 if it is in no single place
	Reason string
}

// Error says where the damage is, as far as that is known, and what it is.
func (d *Damage) Error() string {
	where := ""
	if d.Member != "" {
		where = " at member " + d.Member
	}
	if d.Offset >= 0 {
		if where == "" {
			where = " at"
		} else {
			where += ","
		}
		where += " offset " + strconv.FormatInt(d.Offset, 10)
	}
	return "damaged" + where + ": " + d.Reason
}

func damagedAt(offset int64, format string, args ...any) *Damage {
	return &Damage{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// incomplete is damage in no single place.
func incomplete(format string, args ...any) *Damage { return damagedAt(-1, format, args...) }
