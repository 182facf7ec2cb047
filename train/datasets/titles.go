package datasets

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"upnext"
)

// Titles reads MicroLens-50k_titles.csv.gz, "item,title" below a line of heads:
// the title, hashtags included, by the item's id.
func Titles(dir string) (map[int]string, error) {
	file, err := Open(dir, "microlens-50k", "MicroLens-50k_titles.csv.gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
	}
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = 2
	titles := map[int]string{}
	for n := 0; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return titles, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", file.Name(), err, upnext.ErrInvalid)
		}
		if n == 0 {
			continue
		}
		id, err := strconv.Atoi(row[0])
		if err != nil {
			at, _ := rows.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: item %q: %w", file.Name(), at, row[0], upnext.ErrInvalid)
		}
		titles[id] = row[1]
	}
}
