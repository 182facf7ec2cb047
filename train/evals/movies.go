package evals

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"regexp"
	"strings"

	"upnext"
)

// movie is a film of MovieLens 1M with its plot.
type movie struct {
	id, title, plot string
	genres          []string
}

var year = regexp.MustCompile(` \(\d{4}\)$`)

// readMovies reads up to limit films (0: all) that have a plot, of dir or
// dir/ml-1m: movies.dat (Latin-1) and movies_extrainfos.dat.gz.
func readMovies(dir string, limit int) ([]movie, error) {
	plots, err := readPlots(dir)
	if err != nil {
		return nil, err
	}
	file, err := open(dir, "ml-1m", "movies.dat")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var movies []movie
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan() && (limit == 0 || len(movies) < limit); n++ {
		columns := strings.Split(latin1(lines.Bytes()), "::")
		if len(columns) != 3 {
			return nil, fmt.Errorf("%s:%d: want 3 columns, got %d: %w", file.Name(), n, len(columns), upnext.ErrInvalid)
		}
		if plot := plots[columns[0]]; plot != "" {
			movies = append(movies, movie{columns[0], year.ReplaceAllString(columns[1], ""), plot, strings.Split(columns[2], "|")})
		}
	}
	return movies, scanned(file, lines)
}

// readPlots returns the plots by film.
func readPlots(dir string) (map[string]string, error) {
	file, err := open(dir, "ml-1m", "movies_extrainfos.dat.gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	plots := map[string]string{}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		// id::title::year::MPAA::release::genres::director::writers::cast::plot::poster
		columns := strings.Split(strings.ToValidUTF8(lines.Text(), ""), "::")
		if len(columns) > 9 && columns[9] != "N/A" {
			plots[columns[0]] = columns[9]
		}
	}
	return plots, scanned(file, lines)
}

func scanned(file *os.File, lines *bufio.Scanner) error {
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	return nil
}

// latin1 decodes ISO 8859-1, in which each byte is the sign of that number.
func latin1(b []byte) string {
	signs := make([]rune, len(b))
	for i, c := range b {
		signs[i] = rune(c)
	}
	return string(signs)
}
