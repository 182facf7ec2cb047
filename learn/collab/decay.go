package collab

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"upnext"
	"upnext/learn"
)

// Decay says how much an act counts by its age. The zero value counts all acts
// alike.
type Decay struct {
	Weight   float64       // of all of it, beside other scales; 0 means 1
	Tau      float64       // acts, newest first, until one counts 1/e; 0: never
	Floor    float64       // share that does not decay, 0 … 1
	Last     int           // acts that count at all; 0: all
	HalfLife time.Duration // besides, until one counts half, where times are known; 0: never
}

// of is what the act counts that is age acts and past seconds older than the
// newest one.
func (d Decay) of(age int, past float64) float64 {
	if d.Last > 0 && age >= d.Last {
		return 0
	}
	w := 1.0
	if d.Tau > 0 {
		w = d.Floor + (1-d.Floor)*math.Exp(-float64(age)/d.Tau)
	}
	if d.Weight != 0 {
		w *= d.Weight
	}
	if d.HalfLife > 0 {
		w *= math.Exp2(-past / d.HalfLife.Seconds())
	}
	return w
}

// check reports numbers that make no sense, by ErrInvalid.
func (d Decay) check() error {
	for _, v := range []float64{d.Weight, d.Tau, d.Floor, 1 - d.Floor, float64(d.Last), float64(d.HalfLife)} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("decay %+v: %w", d, upnext.ErrInvalid)
		}
	}
	return nil
}

// writeDecays and readDecays are the form in an artefact's settings.
func writeDecays(d []Decay) string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // unreachable after check
	}
	return string(text)
}

func readDecays(text string) ([]Decay, error) {
	var d []Decay
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("decays %q: %w: %w", text, upnext.ErrInvalid, err)
	}
	if len(d) == 0 || len(d) > 16 {
		return nil, fmt.Errorf("%d decays: %w", len(d), upnext.ErrInvalid)
	}
	for _, one := range d {
		if err := one.check(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// past is how many seconds act i is older than the newest one; 0 where times
// are not known.
func past(h learn.History, i int) float64 {
	if h.At == nil {
		return 0
	}
	return float64(h.At[len(h.At)-1]) - float64(h.At[i])
}
