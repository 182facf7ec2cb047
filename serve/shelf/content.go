package shelf

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"upnext"
)

// contentSeed makes hashes of content that hold for the life of the process.
var contentSeed = maphash.MakeSeed()

// ownWords is how many bytes of text an item needs so that the same text
// elsewhere is the same item: two songs may be called “Intro”.
const ownWords = 40

// contentOf hashes what an item is, whoever put it up under whatever id: kind,
// title, text, length, place in a series. Where there is little text, the same
// maker, date, tags and thumbnail must speak for it too.
func contentOf(it upnext.Item) uint64 {
	var h maphash.Hash
	h.SetSeed(contentSeed)
	write := func(fields ...string) {
		for _, f := range fields {
			f = strings.ToLower(strings.TrimSpace(f))
			var n [8]byte
			binary.LittleEndian.PutUint64(n[:], uint64(len(f)))
			h.Write(n[:]) // so that two fields are not taken for one
			h.WriteString(f)
		}
	}
	write(string(it.Kind), it.Title, it.Description, it.Transcript, it.Lyrics, it.SeriesID, it.Language)
	maphash.WriteComparable(&h, [2]int64{int64(it.Duration), int64(it.Episode)})
	if len(it.Description)+len(it.Transcript)+len(it.Lyrics) < ownWords {
		write(it.CreatorID, it.CreatorName, it.Thumbnail)
		write(it.Tags...)
		maphash.WriteComparable(&h, it.PublishedAt.UnixNano())
	}
	return h.Sum64()
}
