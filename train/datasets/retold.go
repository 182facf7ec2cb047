package datasets

import "strings"

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
	var out []Retelling
	for r, err := range sheet(dir, "tmdb-5000", "tmdb_5000_movies_slim.csv.gz", "title", "release_date", "overview") {
		if err != nil {
			return nil, err
		}
		title, overview := r.values[0], r.values[2]
		year, _, _ := strings.Cut(r.values[1], "-")
		if plot := plots[[2]string{strings.ToLower(title), year}]; plot != "" && overview != "" {
			out = append(out, Retelling{title, plot, overview})
		}
	}
	return out, nil
}
