package rabitq

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// longestName is what an escaped name may have; file systems allow 255 bytes.
const longestName = 120

// escape makes a folder's name of a tenant's, one for each: small letters,
// digits, - and _ stay, others become %XX, since some file systems take Ab and
// aB for one. Of a long one the end becomes a hash.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if name == "" {
		return "%" // or it would be the folder of all tenants
	}
	escaped := b.String()
	if len(escaped) <= longestName {
		return escaped
	}
	return fmt.Sprintf("%s~%x", escaped[:longestName-40], sha256.Sum256([]byte(name)))[:longestName]
}
