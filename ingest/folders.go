package ingest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"

	"upnext"
	"upnext/ingest/itemjson"
)

// The names in the folder of an item.
const (
	itemName     = "item.json"
	commentsName = "comments.ndjson"
	maxItemJSON  = 12 << 20 // bytes: the longest transcript inside, escaped
)

// Which object of a folder counts where several would do: the first.
var (
	thumbnailNames  = []string{"thumbnail.jpg", "thumbnail.jpeg", "thumbnail.png", "thumbnail.webp"}
	transcriptNames = []string{"transcript.vtt", "transcript.srt", "transcript.txt"}
)

// folders yields the folders that hold an item. The keys come in byte order,
// so a folder's own keys may be parted by those of folders within it: the
// folders that are open form a stack.
func (s *source) folders(ctx context.Context) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		var open []entry
		closed := func(dir string) bool { // ends the folders that dir does not lie in
			for len(open) > 0 {
				top := open[len(open)-1]
				if top.Key == "" || strings.HasPrefix(dir, top.Key) {
					return true
				}
				open = open[:len(open)-1]
				if !emit(top, yield) {
					return false
				}
			}
			return true
		}
		for info, err := range s.files.List(ctx, "", "") {
			if err != nil {
				yield(entry{}, err)
				return
			}
			dir, name := path.Split(info.Key)
			if !closed(dir) {
				return
			}
			if !isPart(name) {
				continue
			}
			if len(open) == 0 || open[len(open)-1].Key != dir {
				open = append(open, entry{Key: dir})
			}
			top := &open[len(open)-1]
			top.Parts = append(top.Parts, name)
			if s.bucket != "" {
				top.ETags = append(top.ETags, info.ETag)
			}
		}
		for len(open) > 0 {
			top := open[len(open)-1]
			open = open[:len(open)-1]
			if !emit(top, yield) {
				return
			}
		}
	}
}

func isPart(name string) bool {
	return name == itemName || name == commentsName ||
		slices.Contains(thumbnailNames, name) || slices.Contains(transcriptNames, name)
}

func emit(e entry, yield func(entry, error) bool) bool {
	if !slices.Contains(e.Parts, itemName) {
		e.Cause, e.Detail = "missing", fmt.Sprintf("the folder has %s and no %s", strings.Join(e.Parts, ", "), itemName)
	}
	return yield(e, nil)
}

// readFolder reads the item of a folder. What its item.json does not name is
// taken from the objects beside it.
func (s *source) readFolder(ctx context.Context, e entry, schema upnext.Schema) (upnext.Item, error) {
	r, info, err := s.files.Open(ctx, e.Key+itemName, 0)
	if err != nil {
		return upnext.Item{}, err
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := readAll(r, e.Key+itemName, info, maxItemJSON)
	if err != nil {
		return upnext.Item{}, err
	}
	it, err := itemjson.Decode(data, schema)
	if err != nil {
		return it, err
	}
	beside := func(names []string) string {
		for _, n := range names {
			if slices.Contains(e.Parts, n) {
				return n
			}
		}
		return ""
	}
	if it.Thumbnail == "" {
		it.Thumbnail = beside(thumbnailNames)
	}
	if it.Transcript == "" {
		it.Transcript = beside(transcriptNames)
	}
	if it.CommentKey == "" && len(it.Comments) == 0 {
		it.CommentKey = beside([]string{commentsName})
	}
	return relative(it, e.Key), nil
}

// relative makes the keys of an item relative to the source instead of dir.
func relative(it upnext.Item, dir string) upnext.Item {
	for _, key := range []*string{&it.Thumbnail, &it.Transcript, &it.CommentKey} {
		if isKey(it, *key) {
			*key = path.Join(dir, *key)
		}
	}
	return it
}

// discard skips n bytes of a stream.
func discard(r io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}
