package datasets

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"upnext"
)

// Retelling is a film's plot as two have told it: OMDb's (ml-1m) and The Movie
// Database's (tmdb-5000). Some are one text.
type Retelling struct{ Title, Plot, Retold string }

// Retold reads movies_extrainfos.dat.gz and tmdb_5000_movies_slim.csv.gz: the
// films of both, by title and year, that have a plot in both, in the order of the
// latter.
func Retold(dir string) ([]Retelling, error) {
	plots := map[[2]string]string{} // by title and year
	for l, err := range lines(dir, "ml-1m", "movies_extrainfos.dat.gz") {
		if err != nil {
			return nil, err
		}
		columns := strings.Split(strings.ToValidUTF8(l.text, ""), "::") // as in plots
		if len(columns) > 9 && columns[9] != "N/A" {
			plots[[2]string{strings.ToLower(columns[1]), columns[2]}] = columns[9]
		}
	}
	file, err := Open(dir, "tmdb-5000", "tmdb_5000_movies_slim.csv.gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	rows := csv.NewReader(text)
	heads, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	title, released, overview := slices.Index(heads, "title"), slices.Index(heads, "release_date"), slices.Index(heads, "overview")
	if title < 0 || released < 0 || overview < 0 {
		return nil, fmt.Errorf("%s:1: want title, release_date and overview, got %q: %w", file.Name(), heads, upnext.ErrInvalid)
	}
	var out []Retelling
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
		}
		year, _, _ := strings.Cut(row[released], "-")
		if plot := plots[[2]string{strings.ToLower(row[title]), year}]; plot != "" && row[overview] != "" {
			out = append(out, Retelling{row[title], plot, row[overview]})
		}
	}
}
