package datasets

import "strings"

// ML1M reads MovieLens 1M in SASRec's form, sequences_sas.txt.gz: one line a
// viewer, "user TAB item item …", oldest first. It has order but no times.
func ML1M(dir string) (Set, error) { return sequences(dir, "ml-1m", "sequences_sas.txt.gz") }

// MicroLens reads the short videos of MicroLens-50k, MicroLens-50k_pairs.tsv.gz,
// in the same form.
func MicroLens(dir string) (Set, error) {
	return sequences(dir, "microlens-50k", "MicroLens-50k_pairs.tsv.gz")
}

func sequences(dir, set, name string) (Set, error) {
	var histories [][]int
	for l, err := range lines(dir, set, name) {
		if err != nil {
			return Set{}, err
		}
		user, items, ok := strings.Cut(l.text, "\t")
		if !ok {
			return Set{}, l.wrong("no tab")
		}
		if n, err := l.number(user, 1); err != nil {
			return Set{}, err
		} else if n != l.n {
			return Set{}, l.wrong("user %d, want %d", n, l.n)
		}
		h, err := l.numbers(items, 1)
		if err != nil {
			return Set{}, err
		}
		histories = append(histories, h)
	}
	return numbered(histories, nil)
}
