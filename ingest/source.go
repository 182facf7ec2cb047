package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"upnext"
	"upnext/infra/blob"
)

// The formats of a source. Auto looks at what lies there.
const (
	Auto      = "auto"
	Folders   = "folders"
	NDJSON    = "ndjson"
	CSV       = "csv"
	MovieLens = "movielens"
	Events    = "events"  // NDJSON or Parquet of what happened, see historyFiles
	Viewers   = "viewers" // NDJSON of what is known of viewers
)

// Formats are all formats, in the order of the documentation.
var Formats = []string{Auto, Folders, NDJSON, CSV, MovieLens, Events, Viewers}

// source is an opened source: where its items are and how each is read.
type source struct {
	files    files
	stored   string   // prefix of its objects' keys in the object store; empty if they are elsewhere
	bucket   string   // with its server and the prefix in it, where it lies in a bucket that is not ours
	format   string   // never Auto
	readKeys []string // the manifests, or the file of movies
	versions map[string]string
	headers  map[string]csvHeader
	movies   *movieLens
	past     string        // of the formats Events and Viewers, the one file; empty if it is all below
	people   upnext.Schema // of the format Viewers, the attributes seen so far
	close    func() error
}

// entry says where one item is in a source. It is part of a job.
type entry struct {
	Key    string   `json:"key"`              // of the manifest, or of the folder
	Line   int      `json:"line,omitempty"`   // in the manifest, from 1
	Offset int64    `json:"offset,omitempty"` // of the line in bytes
	Size   int64    `json:"size,omitempty"`   // of the line in bytes
	Parts  []string `json:"parts,omitempty"`  // names of the objects in the folder
	ETags  []string `json:"etags,omitempty"`  // of the parts, where the listing of a bucket told them
	Cause  string   `json:"cause,omitempty"`  // why it cannot be read, found out while listing
	Detail string   `json:"detail,omitempty"`
}

// place is where a source lies, in one of three ways, and its name in the form
// that Import.Source keeps.
type place struct {
	bucket string // key is in it; empty: in our own object store
	key    string
	dir    string // of this machine
	clean  string
}

// parseSource reads a source's name.
func parseSource(t upnext.Tenant, s string) (p place, err error) {
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case s == "":
		return p, fmt.Errorf("source: missing: %w", upnext.ErrInvalid)
	case ok && scheme == "blob":
		p.key = path.Clean(rest)
		if !owns(t, p.key+"/") {
			return p, fmt.Errorf("source %s: keys of tenant %s begin with %q: %w", s, t, prefixOf(t), upnext.ErrInvalid)
		}
		p.clean = "blob:" + p.key
		return p, nil
	case ok && scheme == "s3":
		return parseBucket(rest)
	case ok && scheme == "file":
		u, err := url.Parse(s)
		if err != nil || u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return p, fmt.Errorf("source %s: not like file:///folder: %w", s, upnext.ErrInvalid)
		}
		p.dir = u.Path
	case ok && len(scheme) > 1 && strings.HasPrefix(rest, "//"):
		return p, fmt.Errorf("source %s: unknown scheme %q; there are s3, file, blob and plain paths: %w", s, scheme, upnext.ErrInvalid)
	default:
		if p.dir, err = filepath.Abs(s); err != nil {
			return p, fmt.Errorf("source %s: %v: %w", s, err, upnext.ErrInvalid)
		}
	}
	u := url.URL{Scheme: "file", Path: path.Clean(filepath.ToSlash(p.dir))}
	p.dir, p.clean = filepath.Clean(p.dir), u.String()
	return p, nil
}

// parseBucket reads what follows "s3:". Where the bucket's server is, and with
// which credentials, is a setting: what would say so here is refused, and not
// repeated in the error.
func parseBucket(rest string) (p place, err error) {
	after, ok := strings.CutPrefix(rest, "//")
	name, key, _ := strings.Cut(after, "/")
	if !ok || name == "" || strings.ContainsAny(name, "@:?#*") || strings.Contains(key, "?") {
		return p, fmt.Errorf("source: not like s3://BUCKET/PREFIX, without credentials, port and parameters: %w", upnext.ErrInvalid)
	}
	p.bucket, p.key = name, strings.TrimPrefix(path.Clean("/"+key), "/")
	p.clean = strings.TrimSuffix("s3://"+p.bucket+"/"+p.key, "/")
	return p, nil
}

// openSource opens a source and finds out its format. A source that is not
// there, or holds nothing of the format, is an ErrInvalid.
func (im *Importer) openSource(ctx context.Context, t upnext.Tenant, where, format string) (*source, error) {
	if !slices.Contains(Formats, format) {
		return nil, fmt.Errorf("format %q is none of %v: %w", format, Formats, upnext.ErrInvalid)
	}
	p, err := parseSource(t, where)
	if err != nil {
		return nil, err
	}
	s, file, err := im.reach(ctx, t, p, format)
	if err == nil {
		err = s.detect(ctx, file)
	}
	if err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("source %s: %w", where, err), s.close())
	}
	return s, nil
}

// reach opens the files of a source, or those beside a manifest and says its
// name. The source is never nil.
func (im *Importer) reach(ctx context.Context, t upnext.Tenant, p place, format string) (s *source, file string, err error) {
	s = &source{format: format, versions: map[string]string{}, headers: map[string]csvHeader{}, close: func() error { return nil }}
	if p.dir != "" {
		file, err = s.onDisk(p.dir)
		return s, file, err
	}
	p, store, err := im.locate(ctx, t, p)
	if err == nil {
		file, err = s.inStore(ctx, store, p)
	}
	return s, file, err
}

// inStore opens a prefix, or the folder of a manifest and says its name.
func (s *source) inStore(ctx context.Context, store blob.Store, p place) (file string, err error) {
	key := p.key
	if path.Ext(key) != "" {
		if _, err := store.Stat(ctx, key); err == nil {
			key, file = path.Split(key)
			key = strings.TrimSuffix(key, "/")
		} else if !errors.Is(err, upnext.ErrNotFound) {
			return "", err
		}
	}
	if key != "" { // a bucket may be a source as a whole
		key += "/"
	}
	s.files = under{store, key}
	if p.bucket == "" {
		s.stored = key
		return file, nil
	}
	s.bucket = p.bucket + "/" + key
	return file, nil
}

// errAbsent says that this machine does not have what a source names. Another one may.
var errAbsent = errors.New("there is no such file or folder")

// onDisk opens a folder, or the folder of a manifest and says its name.
func (s *source) onDisk(dir string) (file string, err error) {
	st, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: %w", errAbsent, upnext.ErrInvalid)
	}
	if err != nil {
		return "", fileError(err)
	}
	if !st.IsDir() {
		dir, file = filepath.Split(dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fileError(err)
	}
	s.files, s.close = folder{root}, root.Close
	return file, nil
}

// lookedAt is how many objects of a source are looked at for its format.
const lookedAt = 10_000

// detect finds the format and the manifests.
func (s *source) detect(ctx context.Context, file string) error {
	if found, err := s.detectHistory(ctx, file); found || err != nil {
		return err
	}
	if file != "" {
		return s.detectFile(file)
	}
	var first string
	manifests := map[string][]string{}
	movies := false
	looked := 0
	for info, err := range s.files.List(ctx, "", "") {
		if err != nil {
			return err
		}
		if looked++; looked > lookedAt {
			break
		}
		if first == "" {
			first = info.Key
		}
		if strings.Contains(info.Key, "/") {
			if s.format == Folders {
				break // it may have millions; one object is enough to know
			}
			continue
		}
		movies = movies || slices.Contains(movieFiles, info.Key) && s.format != CSV
		if ext := strings.TrimPrefix(path.Ext(info.Key), "."); info.Key != commentsName && (ext == NDJSON || ext == CSV) {
			manifests[ext] = append(manifests[ext], info.Key)
		}
	}
	if first == "" {
		return fmt.Errorf("there is nothing: %w", upnext.ErrInvalid)
	}
	if s.format == Auto {
		switch {
		case movies:
			s.format = MovieLens
		case len(manifests[NDJSON]) > 0:
			s.format = NDJSON
		case len(manifests[CSV]) > 0:
			s.format = CSV
		default:
			s.format = Folders
		}
	}
	if s.format == NDJSON || s.format == CSV {
		s.readKeys = manifests[s.format]
		if len(s.readKeys) == 0 {
			return fmt.Errorf("there is no *.%s: %w", s.format, upnext.ErrInvalid)
		}
	}
	return nil
}

func (s *source) detectFile(file string) error {
	ext := strings.TrimPrefix(path.Ext(file), ".")
	if ext != NDJSON && ext != CSV {
		return fmt.Errorf("a manifest is *.ndjson or *.csv: %w", upnext.ErrInvalid)
	}
	if s.format != Auto && s.format != ext {
		return fmt.Errorf("format %s, and a *.%s: %w", s.format, ext, upnext.ErrInvalid)
	}
	s.format, s.readKeys = ext, []string{file}
	return nil
}

// prepare reads what all of its items need.
func (s *source) prepare(ctx context.Context) error {
	if s.format == MovieLens {
		movies, err := openMovieLens(ctx, s)
		if err != nil {
			return err
		}
		s.movies = movies
	}
	for _, key := range s.readKeys {
		info, err := s.files.Stat(ctx, key)
		if err != nil {
			return err
		}
		s.versions[key] = info.ETag
		if s.format == CSV {
			if s.headers[key], err = s.readHeader(ctx, key); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

// version names the state of the files that entries point into.
func (s *source) version() string {
	h := sha256.New()
	for _, key := range s.readKeys {
		fmt.Fprintf(h, "%q %q\n", key, s.versions[key])
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// entries yields where the source's items are, in an order that stays.
func (s *source) entries(ctx context.Context) iter.Seq2[entry, error] {
	if s.format == Folders {
		return s.folders(ctx)
	}
	return func(yield func(entry, error) bool) {
		for _, key := range s.readKeys {
			for e, err := range s.listed(ctx, key) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// listed yields the entries of one file.
func (s *source) listed(ctx context.Context, key string) iter.Seq2[entry, error] {
	if s.format == CSV {
		return s.rows(ctx, key)
	}
	return s.lines(ctx, key)
}

// reader opens a file that entries point into; it must be the one listed.
func (s *source) reader(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	r, info, err := s.files.Open(ctx, key, offset)
	if err == nil && info.ETag != s.versions[key] {
		err = errors.Join(fmt.Errorf("%s: changed during the import: %w", key, upnext.ErrConflict), r.Close())
	}
	return r, err
}
