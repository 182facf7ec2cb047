package shelf

import (
	"encoding/binary"
	"strings"

	"github.com/cespare/xxhash/v2"

	"upnext"
)

// ownWords is how many bytes of text an item needs so that the same text
// elsewhere is the same item: two songs may be called “Intro”.
const ownWords = 40

// contentOf hashes what an item is, whoever put it up under whatever id: kind,
// title, text, length, place in a series. Where there is little text, the same
// maker, date, tags and thumbnail must speak for it too.
//
// The seed keeps makers from writing what is taken for another's item.
func contentOf(seed uint64, it upnext.Item) uint64 {
	var h xxhash.Digest
	h.ResetWithSeed(seed)
	number := func(n int64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(n))
		_, _ = h.Write(b[:]) // never fails
	}
	write := func(fields ...string) {
		for _, f := range fields {
			f = strings.ToLower(strings.TrimSpace(f))
			number(int64(len(f))) // so that two fields are not taken for one
			_, _ = h.WriteString(f)
		}
	}
	write(string(it.Kind), it.Title, it.Description, it.Transcript, it.Lyrics, it.SeriesID, it.Language)
	number(int64(it.Duration))
	number(int64(it.Episode))
	if len(it.Description)+len(it.Transcript)+len(it.Lyrics) < ownWords {
		write(it.CreatorID, it.CreatorName, it.Thumbnail)
		write(it.Tags...)
		number(it.PublishedAt.UnixMicro())
	}
	return h.Sum64()
}
