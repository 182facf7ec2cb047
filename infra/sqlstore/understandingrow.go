package sqlstore

import "upnext"

// understandingRow is what a model believes, or a person says, of an item. Its
// lists have no omitempty: an empty one says "none of it", null says nothing.
type understandingRow struct {
	Topics   []labelRow `json:"topics"`
	Emotion  []labelRow `json:"emotion"`
	Style    []labelRow `json:"style"`
	Language []labelRow `json:"language"`
	Safety   []labelRow `json:"safety"`
	At       stamp      `json:"at,omitzero"`
}

type labelRow struct {
	Value      string  `json:"value"`
	Confidence float64 `json:"confidence"`
	Evidence   string  `json:"evidence,omitempty"`
	Model      string  `json:"model,omitempty"`
}

func encodeUnderstanding(id string, u upnext.Understanding) (string, error) {
	return encode("item "+id+": understanding", understandingRow{
		Topics: labelRows(u.Topics), Emotion: labelRows(u.Emotion), Style: labelRows(u.Style),
		Language: labelRows(u.Language), Safety: labelRows(u.Safety), At: stamp{u.At},
	})
}

// decodeUnderstanding takes the empty text of an item of which nothing is known.
func decodeUnderstanding(id, text string) (upnext.Understanding, error) {
	if text == "" {
		return upnext.Understanding{}, nil
	}
	r, err := decode[understandingRow]("item "+id+": understanding", text)
	if err != nil {
		return upnext.Understanding{}, err
	}
	return upnext.Understanding{
		Topics: labels(r.Topics), Emotion: labels(r.Emotion), Style: labels(r.Style),
		Language: labels(r.Language), Safety: labels(r.Safety), At: r.At.Time,
	}, nil
}

// decodeOver lays a person's word over a model's belief.
func decodeOver(id, said, believed string) (upnext.Understanding, error) {
	person, err := decodeUnderstanding(id, said)
	if err != nil {
		return upnext.Understanding{}, err
	}
	model, err := decodeUnderstanding(id, believed)
	return person.Over(model), err
}

func labelRows(labels []upnext.Label) []labelRow {
	if labels == nil {
		return nil
	}
	rows := make([]labelRow, len(labels))
	for i, l := range labels {
		rows[i] = labelRow(l)
	}
	return rows
}

func labels(rows []labelRow) []upnext.Label {
	if rows == nil {
		return nil
	}
	labels := make([]upnext.Label, len(rows))
	for i, r := range rows {
		labels[i] = upnext.Label(r)
	}
	return labels
}
