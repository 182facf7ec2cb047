package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"upnext"
	"upnext/infra/blob"
	"upnext/ingest/itemjson"
)

// Limits on objects, in bytes.
const (
	maxPicture = 10 << 20
	maxComment = 50_000
)

// words returns an item's transcript as plain text and fills in its comments.
// What cannot be read is noted; an engine that is away is an error.
func (p *Pipeline) words(ctx context.Context, w *work) (string, error) {
	transcript := w.item.Transcript
	w.textMark = w.noText
	if upnext.IsTranscriptKey(transcript) {
		data, err := p.object(ctx, transcript, upnext.MaxTranscript)
		if err != nil && !ours(err) {
			return "", err
		}
		if err != nil {
			w.lost("transcript", w.item.Transcript, err)
		}
		transcript = string(data)
	}
	if w.item.CommentKey != "" && len(w.item.Comments) == 0 {
		comments, err := p.comments(ctx, w.item.CommentKey)
		if err != nil && !ours(err) {
			return "", err
		}
		if err != nil {
			w.lost("comments", w.item.CommentKey, err)
		}
		// Only for the passages: the catalogue keeps the key.
		w.item.Comments = comments
	}
	return Transcript(transcript), nil
}

// picture returns the bytes of an item's thumbnail; nil if it has none that
// can be read. A URL is shown and not read.
func (p *Pipeline) picture(ctx context.Context, l lane, w *work) ([]byte, error) {
	w.imageMark = cmp.Or(w.noImage, markNone)
	if l.Image == nil || w.item.Thumbnail == "" || isURL(w.item.Thumbnail) {
		return nil, nil
	}
	data, err := p.object(ctx, w.item.Thumbnail, maxPicture)
	if err != nil && !ours(err) {
		return nil, err
	}
	if err != nil {
		w.lost("thumbnail", w.item.Thumbnail, err)
		return nil, nil
	}
	return data, nil
}

// ours says whether an error is about the object, not about the store.
func ours(err error) bool {
	return errors.Is(err, upnext.ErrNotFound) || errors.Is(err, upnext.ErrInvalid)
}

// object reads a whole object of at most limit bytes.
func (p *Pipeline) object(ctx context.Context, key string, limit int64) ([]byte, error) {
	r, info, err := p.Blobs.Open(ctx, key, 0)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", key, err)
	}
	defer func() { _ = r.Close() }() // it was only read
	return readAll(r, key, info, limit)
}

func readAll(r io.Reader, key string, info blob.Info, limit int64) ([]byte, error) {
	if info.Size > limit {
		return nil, fmt.Errorf("object %s: %d bytes, %d allowed: %w", key, info.Size, limit, upnext.ErrInvalid)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes: %w", limit, upnext.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", key, err)
	}
	return data, nil
}

// comments reads an object of comments, one JSON a line. It stops at the
// first MaxComments; the error of a broken line names it and the rest counts.
func (p *Pipeline) comments(ctx context.Context, key string) ([]string, error) {
	data, err := p.object(ctx, key, upnext.MaxTranscript)
	if err != nil {
		return nil, err
	}
	var all []string
	var broken error
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan() && len(all) < upnext.MaxComments; n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		c, err := itemjson.Comment(line)
		if err == nil && len(c) > maxComment {
			err = fmt.Errorf("%d bytes, %d allowed: %w", len(c), maxComment, upnext.ErrInvalid)
		}
		if err != nil {
			if broken == nil {
				broken = fmt.Errorf("object %s: line %d: %w", key, n, err)
			}
			continue
		}
		all = append(all, c)
	}
	return all, broken
}

// isContentKey says whether a key names its content, as those of Importer do.
func isContentKey(key string) bool {
	dir, name := path.Split(key)
	return strings.HasSuffix(dir, "/"+contentDir+"/") && len(name) > contentName && path.Ext(name) == name[contentName:]
}

// Where Importer keeps the objects that it copies: TENANT/objects/HASH.EXT.
const (
	contentDir  = "objects"
	contentName = 40 // hex digits of the hash
)
