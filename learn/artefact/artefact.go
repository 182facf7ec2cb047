// Package artefact stores a model's numbers: tensors by name in the safetensors
// format (https://github.com/huggingface/safetensors), so that Python and other
// tools read and write them, with kind, format version and settings beside.
package artefact

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"upnext"
)

// Artefact is one model as it is stored.
type Artefact struct {
	Kind     string            // which package's Load reads it, and as what: "ease", "sasrec", …
	Version  int               // of the kind's layout
	Settings map[string]string // what it was made with, for people and for Load
	Tensors  map[string]Tensor
}

// Tensor is a block of numbers, row by row. One of the slices is set.
type Tensor struct {
	Shape []int
	F32   []float32
	I32   []int32
	I8    []int8
}

// Floats makes a float32 tensor; the shape's product is len(v).
func Floats(v []float32, shape ...int) Tensor { return Tensor{Shape: shape, F32: v} }

// Ints makes an int32 tensor.
func Ints(v []int32, shape ...int) Tensor { return Tensor{Shape: shape, I32: v} }

// Bytes makes an int8 tensor.
func Bytes(v []int8, shape ...int) Tensor { return Tensor{Shape: shape, I8: v} }

// Expect checks kind and version, as the first line of a Load.
func (a Artefact) Expect(kind string, version int) error {
	if a.Kind != kind {
		return fmt.Errorf("an artefact of kind %q, not %q: %w", a.Kind, kind, upnext.ErrInvalid)
	}
	if a.Version != version {
		return fmt.Errorf("%s artefact of version %d: this program reads %d: %w", kind, a.Version, version, upnext.ErrInvalid)
	}
	return nil
}

// Floats returns a float32 tensor that must have the shape; a side of -1 takes
// what is there. Numbers that are not finite are ErrInvalid.
func (a Artefact) Floats(name string, shape ...int) ([]float32, []int, error) {
	t, err := a.tensor(name, shape)
	if err == nil && t.F32 == nil && size(t.Shape) > 0 {
		err = fmt.Errorf("tensor %s is not float32: %w", name, upnext.ErrInvalid)
	}
	if err != nil {
		return nil, nil, err
	}
	for i, v := range t.F32 {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, nil, fmt.Errorf("tensor %s: number %d is %v: %w", name, i, v, upnext.ErrInvalid)
		}
	}
	return t.F32, t.Shape, nil
}

// Ints returns an int32 tensor, as Floats does.
func (a Artefact) Ints(name string, shape ...int) ([]int32, []int, error) {
	t, err := a.tensor(name, shape)
	if err == nil && t.I32 == nil && size(t.Shape) > 0 {
		err = fmt.Errorf("tensor %s is not int32: %w", name, upnext.ErrInvalid)
	}
	return t.I32, t.Shape, err
}

// Bytes returns an int8 tensor, as Floats does.
func (a Artefact) Bytes(name string, shape ...int) ([]int8, []int, error) {
	t, err := a.tensor(name, shape)
	if err == nil && t.I8 == nil && size(t.Shape) > 0 {
		err = fmt.Errorf("tensor %s is not int8: %w", name, upnext.ErrInvalid)
	}
	return t.I8, t.Shape, err
}

func (a Artefact) tensor(name string, want []int) (Tensor, error) {
	t, ok := a.Tensors[name]
	if !ok {
		return t, fmt.Errorf("no tensor %s: %w", name, upnext.ErrInvalid)
	}
	fits := len(t.Shape) == len(want)
	for i := range want {
		fits = fits && (want[i] == -1 || want[i] == t.Shape[i])
	}
	if !fits {
		return t, fmt.Errorf("tensor %s has shape %v, not %v: %w", name, t.Shape, want, upnext.ErrInvalid)
	}
	return t, nil
}

// Int reads a whole number among the settings.
func (a Artefact) Int(name string) (int, error) {
	n, err := strconv.Atoi(a.Settings[name])
	if err != nil {
		return 0, fmt.Errorf("setting %s is %q: %w", name, a.Settings[name], upnext.ErrInvalid)
	}
	return n, nil
}

// Float reads a number among the settings.
func (a Artefact) Float(name string) (float64, error) {
	v, err := strconv.ParseFloat(a.Settings[name], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("setting %s is %q: %w", name, a.Settings[name], errors.Join(err, upnext.ErrInvalid))
	}
	return v, nil
}

// size is how many numbers a shape has.
func size(shape []int) int {
	n := 1
	for _, side := range shape {
		n *= side
	}
	return n
}
