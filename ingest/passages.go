package ingest

import (
	"strings"

	"upnext"
)

type passage struct {
	Text   string
	Weight float32
}

// cut is how an item's words become weighted texts to embed.
func cut(it upnext.Item, transcript string) []passage {
	out := []passage{{it.Title, 2}}
	add := func(weight float32, texts ...string) {
		for _, t := range texts {
			if strings.TrimSpace(t) != "" {
				out = append(out, passage{t, weight})
			}
		}
	}
	add(1, it.Description, strings.Join(it.Tags, ", "), it.Lyrics)
	for rest := transcript; rest != ""; {
		n := min(len(rest), 1000)
		if i := strings.LastIndexAny(rest[:n], ".\n。"); n < len(rest) && i > 0 {
			n = i + 1
		}
		add(.5, strings.ToValidUTF8(rest[:n], ""))
		rest = rest[n:]
	}
	add(.2, it.Comments...)
	return out
}
