package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"upnext"
)

// style is how the files of a MovieLens release are written.
type style int

const (
	datStyle  style = iota // 1M, 10M: a::b
	itemStyle              // 100K: a|b, and a flag for each genre
	csvStyle               // latest, 20M, 25M, 32M: a,b below a header
)

// movieFiles are the files of movies, by style; each is the sign of its release.
var movieFiles = []string{"movies.dat", "u.item", "movies.csv"}

// itemGenres are the flags at the end of a line of u.item, in their order.
var itemGenres = []string{"unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
	"Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
	"Thriller", "War", "Western"}

// maxExtras is how much of movies_extrainfos.dat is held, in bytes.
const maxExtras = 256 << 20

// movieLens is what the movies of a MovieLens folder need besides their line.
type movieLens struct {
	style   style
	extras  map[string][]string // by movie id, the columns of movies_extrainfos.dat
	posters map[string]string   // by movie id, the key of the picture
}

func openMovieLens(ctx context.Context, s *source) (*movieLens, error) {
	m := &movieLens{}
	for i, name := range movieFiles {
		_, err := s.files.Stat(ctx, name)
		if err == nil {
			m.style, s.readKeys = style(i), []string{name}
			break
		}
		if !errors.Is(err, upnext.ErrNotFound) {
			return nil, err
		}
	}
	if s.readKeys == nil {
		return nil, fmt.Errorf("there is none of %v: %w", movieFiles, upnext.ErrInvalid)
	}
	var err error
	if m.extras, err = readExtras(ctx, s.files); err != nil {
		return nil, err
	}
	m.posters, err = s.findPosters(ctx)
	return m, err
}

// readExtras reads plots, directors and casts; none if there is no such file.
func readExtras(ctx context.Context, from files) (map[string][]string, error) {
	r, _, err := openFirst(ctx, from, "movies_extrainfos.dat")
	if errors.Is(err, upnext.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	extras := map[string][]string{}
	held := int64(0)
	for l, err := range eachLine(r, 1<<20) {
		if err != nil {
			return nil, fmt.Errorf("movies_extrainfos.dat: %w", errors.Join(err, upnext.ErrInvalid))
		}
		columns := strings.Split(latin1(l.text), "::")
		if held += l.size; len(columns) < 10 || held > maxExtras {
			continue // a movie without a plot is still a movie
		}
		extras[columns[0]] = columns
	}
	return extras, nil
}

// openFirst opens NAME or else NAME.gz, unpacked, and says which.
func openFirst(ctx context.Context, from files, name string) (io.ReadCloser, string, error) {
	r, _, err := from.Open(ctx, name, 0)
	if !errors.Is(err, upnext.ErrNotFound) {
		return r, name, err
	}
	packed := name + ".gz"
	if r, _, err = from.Open(ctx, packed, 0); err != nil {
		return nil, packed, err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, packed, errors.Join(fmt.Errorf("%s: %v: %w", packed, err, upnext.ErrInvalid), r.Close())
	}
	return unpacked{z, r}, packed, nil
}

// unpacked closes the file below as well.
type unpacked struct {
	*gzip.Reader
	file io.Closer
}

func (u unpacked) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// findPosters finds pictures as files posters/ID.jpg, or in a posters*.tar
// that is then part of the source's files.
func (s *source) findPosters(ctx context.Context) (map[string]string, error) {
	posters := map[string]string{}
	tar := ""
	for info, err := range s.files.List(ctx, "posters", "") {
		if err != nil {
			return nil, err
		}
		if id, ok := posterID(info.Key); ok && path.Dir(info.Key) == "posters" {
			posters[id] = info.Key
		} else if path.Ext(info.Key) == ".tar" && !strings.Contains(info.Key, "/") {
			tar = info.Key
		}
	}
	if tar == "" {
		return posters, nil
	}
	in, err := openArchive(ctx, s.files, tar)
	if err != nil {
		return nil, err
	}
	for name := range in.members {
		if id, ok := posterID(name); ok && posters[id] == "" {
			posters[id] = tar + "/" + name
		}
	}
	s.files = in
	return posters, nil
}

// posterID returns the movie of a picture's name.
func posterID(key string) (string, bool) {
	name := path.Base(key)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext), slices.Contains([]string{".jpg", ".jpeg", ".png", ".webp"}, ext)
}

// latin1 reads a text that is UTF-8 in some copies of the data and Latin-1,
// as its makers wrote it, in others.
func latin1(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// parse reads a movie from its line.
func (m *movieLens) parse(text []byte) (upnext.Item, error) {
	text = bytes.TrimSpace(text)
	var id, title, released string
	var genres []string
	switch m.style {
	case itemStyle:
		f := strings.Split(latin1(text), "|")
		if len(f) < 5 {
			return upnext.Item{}, columns(len(f), "5 or more by |")
		}
		id, title, released = f[0], f[1], f[2]
		for i, flag := range f[5:] {
			if flag == "1" && i > 0 && i < len(itemGenres) {
				genres = append(genres, itemGenres[i])
			}
		}
	case csvStyle:
		f, err := csv.NewReader(strings.NewReader(latin1(text))).Read()
		if err != nil {
			return upnext.Item{}, fmt.Errorf("%v: %w", err, errSyntax)
		}
		if len(f) != 3 {
			return upnext.Item{}, columns(len(f), "3 by a comma")
		}
		id, title, genres = f[0], f[1], strings.Split(f[2], "|")
	default:
		f := strings.Split(latin1(text), "::")
		if len(f) != 3 {
			return upnext.Item{}, columns(len(f), "3 by ::")
		}
		id, title, genres = f[0], f[1], strings.Split(f[2], "|")
	}
	genres = slices.DeleteFunc(genres, func(g string) bool { return g == "" || g == "(no genres listed)" })
	it := upnext.Item{ID: upnext.ItemID(id), Kind: "video", Title: plainTitle(title), Tags: genres, Thumbnail: m.posters[id]}
	if year, ok := yearOf(title); ok {
		it.PublishedAt = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		it.Attributes = map[string]any{"year": float64(year)}
	}
	if at, err := time.Parse("02-Jan-2006", released); err == nil {
		it.PublishedAt = at
	}
	m.enrich(&it, m.extras[id])
	return it, nil
}

// errSyntax says that a line is not written as its format wants.
var errSyntax = fmt.Errorf("syntax: %w", upnext.ErrInvalid)

func columns(got int, want string) error {
	return fmt.Errorf("%d columns, want %s: %w", got, want, errSyntax)
}

// yearOf reads "(1995)" at the end of a title.
func yearOf(title string) (int, bool) {
	title = strings.TrimSpace(title)
	i := strings.LastIndexByte(title, '(')
	if i < 0 || !strings.HasSuffix(title, ")") {
		return 0, false
	}
	year, err := strconv.Atoi(title[i+1 : len(title)-1])
	return year, err == nil && year > 1800 && year < 3000
}

// articles stand behind the title in MovieLens, for sorting.
var articles = []string{"The", "A", "An", "Les", "La", "Le", "L'", "Il", "El", "Der", "Die", "Das", "Los", "Las"}

// plainTitle turns "Matrix, The (1999)" into "The Matrix (1999)".
func plainTitle(title string) string {
	name, year := strings.TrimSpace(title), ""
	if _, ok := yearOf(name); ok {
		i := strings.LastIndexByte(name, '(')
		name, year = strings.TrimSpace(name[:i]), " "+name[i:]
	}
	if i := strings.LastIndex(name, ", "); i > 0 && slices.Contains(articles, name[i+2:]) {
		space := " "
		if strings.HasSuffix(name, "'") {
			space = ""
		}
		name = name[i+2:] + space + name[:i]
	}
	return name + year
}

// enrich adds what movies_extrainfos.dat says:
// id title year MPAA release genres director writers cast plot poster_url.
func (m *movieLens) enrich(it *upnext.Item, columns []string) {
	known := func(i int) string {
		if i >= len(columns) || columns[i] == "N/A" {
			return ""
		}
		return strings.TrimSpace(columns[i])
	}
	if len(columns) == 0 {
		return
	}
	if it.Attributes == nil {
		it.Attributes = map[string]any{}
	}
	it.Description = known(9)
	if at, err := time.Parse("02 Jan 2006", known(4)); err == nil {
		it.PublishedAt = at
	}
	if rating := known(3); rating != "" {
		it.Attributes["mpaa"] = rating
	}
	if director := known(6); director != "" {
		// The first is whom a viewer would follow.
		first, _, _ := strings.Cut(director, ", ")
		it.CreatorName, it.CreatorID = first, "director:"+strings.ReplaceAll(strings.ToLower(first), " ", "-")
		it.Attributes["director"] = strings.Split(director, ", ")
	}
	if cast := known(8); cast != "" {
		it.Attributes["cast"] = strings.Split(cast, ", ")
	}
	// "Animation, Comedy" of the one source beside "Animation|Children's" of the other.
	for g := range strings.SplitSeq(known(5), ", ") {
		if g != "" && !slices.Contains(it.Tags, g) {
			it.Tags = append(it.Tags, g)
		}
	}
}
