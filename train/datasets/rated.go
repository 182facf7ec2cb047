package datasets

import (
	"strings"
	"time"
)

// RatedFilm is a film of MovieLens 100K.
type RatedFilm struct {
	ID       int // that of Rating.Item
	Title    string
	Genres   []string
	Released time.Time // zero where the set does not say
}

// genres are those of u.item, by column behind the first five; the first one says
// that none is known.
var genres = [...]string{
	"", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
	"Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
}

// RatedFilms reads u.item: "id|title|released|on video|address" and a flag a
// genre, in Latin-1.
func RatedFilms(dir string) ([]RatedFilm, error) {
	var films []RatedFilm
	for l, err := range lines(dir, "ml-100k", "u.item") {
		if err != nil {
			return nil, err
		}
		fields := strings.Split(latin1(l.text), "|")
		if len(fields) != 5+len(genres) {
			return nil, l.wrong("want %d columns, got %d", 5+len(genres), len(fields))
		}
		f := RatedFilm{Title: fields[1]}
		if f.ID, err = l.number(fields[0], 1); err != nil {
			return nil, err
		}
		if fields[2] != "" {
			if f.Released, err = time.Parse("2-Jan-2006", fields[2]); err != nil {
				return nil, l.wrong("%v", err)
			}
		}
		for i, flag := range fields[5:] {
			if flag == "1" && genres[i] != "" {
				f.Genres = append(f.Genres, genres[i])
			}
		}
		films = append(films, f)
	}
	return films, nil
}
