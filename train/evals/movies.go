package evals

import "upnext/train/datasets"

// readMovies reads up to limit films (0: all) that have a plot.
func readMovies(dir string, limit int) ([]datasets.Film, error) {
	films, err := datasets.Films(dir)
	if err != nil {
		return nil, err
	}
	var movies []datasets.Film
	for _, f := range films {
		if f.Plot != "" && (limit == 0 || len(movies) < limit) {
			movies = append(movies, f)
		}
	}
	return movies, nil
}
