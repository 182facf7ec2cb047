package upnext

import (
	"reflect"
	"testing"
	"time"
)

func TestOver(t *testing.T) {
	looked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	model := Understanding{
		Topics: []Label{{Value: "cars", Confidence: .6}}, Emotion: []Label{{Value: "calm", Confidence: .5}},
		Style: []Label{{Value: "vlog", Confidence: .4}}, At: looked,
	}
	person := Understanding{
		Topics:  []Label{{Value: "pets", Confidence: 1, Model: ByPerson}},
		Emotion: []Label{}, // "none of it" is a word, too
		Safety:  []Label{{Value: "flashing", Confidence: 1, Model: ByPerson}},
		At:      looked.Add(time.Hour),
	}
	want := Understanding{Topics: person.Topics, Emotion: []Label{}, Style: model.Style, Safety: person.Safety, At: looked}
	if got := person.Over(model); !reflect.DeepEqual(got, want) {
		t.Errorf("Over: got %+v, want %+v", got, want)
	}
	if got := (Understanding{}).Over(model); !reflect.DeepEqual(got, model) {
		t.Errorf("a person who said nothing: got %+v, want the model's %+v", got, model)
	}
	if got, want := Values(model.Topics), []string{"cars"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Values: got %v, want %v", got, want)
	}
}
