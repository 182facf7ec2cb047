package datasets

import "strconv"

// Titles reads MicroLens-50k_titles.csv.gz: the title, hashtags included, by the
// item's id.
func Titles(dir string) (map[int]string, error) {
	titles := map[int]string{}
	for r, err := range sheet(dir, "microlens-50k", "MicroLens-50k_titles.csv.gz", "item", "title") {
		if err != nil {
			return nil, err
		}
		id, err := strconv.Atoi(r.values[0])
		if err != nil {
			return nil, r.fail("item", r.values[0])
		}
		titles[id] = r.values[1]
	}
	return titles, nil
}
