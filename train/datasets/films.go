package datasets

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"upnext"
)

// Film is a film of MovieLens 1M. Plot may be empty.
type Film struct {
	ID, Title, Plot string
	Genres          []string
}

var year = regexp.MustCompile(` \(\d{4}\)$`)

// Films reads movies.dat (Latin-1, "id::title (year)::genre|genre") and the
// plots of movies_extrainfos.dat.gz, in the order of the former.
func Films(dir string) ([]Film, error) {
	plots, err := plots(dir)
	if err != nil {
		return nil, err
	}
	var films []Film
	for l, err := range lines(dir, "ml-1m", "movies.dat") {
		if err != nil {
			return nil, err
		}
		columns := strings.Split(latin1(l.text), "::")
		if len(columns) != 3 {
			return nil, l.wrong("want 3 columns, got %d", len(columns))
		}
		films = append(films, Film{columns[0], year.ReplaceAllString(columns[1], ""), plots[columns[0]], strings.Split(columns[2], "|")})
	}
	return films, nil
}

// plots returns the plots by film.
func plots(dir string) (map[string]string, error) {
	plots := map[string]string{}
	for l, err := range lines(dir, "ml-1m", "movies_extrainfos.dat.gz") {
		if err != nil {
			return nil, err
		}
		// id::title::year::MPAA::release::genres::director::writers::cast::plot::poster
		columns := strings.Split(strings.ToValidUTF8(l.text, ""), "::")
		if len(columns) > 9 && columns[9] != "N/A" {
			plots[columns[0]] = columns[9]
		}
	}
	return plots, nil
}

// latin1 decodes ISO 8859-1, in which each byte is the sign of that number.
func latin1(text string) string {
	signs := make([]rune, len(text))
	for i, c := range []byte(text) {
		signs[i] = rune(c)
	}
	return string(signs)
}

// FilmIDs reads sas_to_original_items.txt: the film's id in the other files by
// the item's id in SASRec's, "item film" a line.
func FilmIDs(dir string) (map[int]string, error) {
	ids := map[int]string{}
	for l, err := range lines(dir, "ml-1m", "sas_to_original_items.txt") {
		if err != nil {
			return nil, err
		}
		pair, err := l.numbers(l.text, 1)
		if err != nil {
			return nil, err
		}
		if len(pair) != 2 {
			return nil, l.wrong("want 2 numbers, got %d", len(pair))
		}
		ids[pair[0]] = strconv.Itoa(pair[1])
	}
	return ids, nil
}

// Posters calls visit with each picture of posters_w180.tar, an encoded one, and
// the id of its film. An error of visit ends it and is returned.
func Posters(dir string, visit func(film string, picture []byte) error) error {
	file, err := Open(dir, "ml-1m", "posters_w180.tar")
	if err != nil {
		return err
	}
	defer file.Close()
	archive := tar.NewReader(file)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && !head.FileInfo().Mode().IsRegular() {
			continue
		}
		var picture []byte
		if err == nil {
			picture, err = io.ReadAll(archive)
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
		}
		if err := visit(strings.TrimSuffix(path.Base(head.Name), ".jpg"), picture); err != nil {
			return fmt.Errorf("%s: %s: %w", file.Name(), head.Name, err)
		}
	}
}
