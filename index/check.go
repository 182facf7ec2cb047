package index

import (
	"fmt"
	"maps"
	"math"

	"upnext"
)

// The limits of every engine.
const (
	MaxDim  = 8192 // components of a vector
	MaxName = 128  // bytes of a collection's name
	MaxK    = 16384
)

// unitTolerance is how far from 1 a vector's length may be.
const unitTolerance = 1e-3

// Check reports what makes e unfit for a collection of dim components, as an
// ErrInvalid that names the entry.
func (e Entry) Check(dim int) error {
	if e.ID == "" || len(e.ID) > upnext.MaxID {
		return fmt.Errorf("entry %.40q: id of %d bytes, 1 to %d allowed: %w", e.ID, len(e.ID), upnext.MaxID, upnext.ErrInvalid)
	}
	if len(e.Vector) != dim {
		return fmt.Errorf("entry %s: vector of %d components, want %d: %w", e.ID, len(e.Vector), dim, upnext.ErrInvalid)
	}
	var square float64
	for i, x := range e.Vector {
		if x != x {
			return fmt.Errorf("entry %s: component %d is not a number: %w", e.ID, i, upnext.ErrInvalid)
		}
		square += float64(x) * float64(x)
	}
	if length := math.Sqrt(square); math.Abs(length-1) > unitTolerance {
		return fmt.Errorf("entry %s: vector of length %.4g, want 1: %w", e.ID, length, upnext.ErrInvalid)
	}
	return nil
}

// Check reports what makes q unfit for a collection of dim components, as an
// ErrInvalid. Its vectors need not be of unit length, but finite.
func (q Query) Check(dim int) error {
	if q.K < 1 || q.K > MaxK {
		return fmt.Errorf("query: k of %d, 1 to %d allowed: %w", q.K, MaxK, upnext.ErrInvalid)
	}
	if !(q.Recall >= 0 && q.Recall <= 1) {
		return fmt.Errorf("query: recall of %v, 0 to 1 allowed: %w", q.Recall, upnext.ErrInvalid)
	}
	for i, v := range q.Vectors {
		if len(v) != dim {
			return fmt.Errorf("query vector %d: %d components, want %d: %w", i, len(v), dim, upnext.ErrInvalid)
		}
		for j, x := range v {
			if x-x != 0 { // NaN and the infinities
				return fmt.Errorf("query vector %d: component %d is %v: %w", i, j, x, upnext.ErrInvalid)
			}
		}
	}
	return nil
}

// Check reports what makes s no collection's, as an ErrInvalid.
func (s Spec) Check() error {
	if s.Dim < 1 || s.Dim > MaxDim {
		return fmt.Errorf("spec: %d components, 1 to %d allowed: %w", s.Dim, MaxDim, upnext.ErrInvalid)
	}
	for name, t := range s.Fields {
		switch t {
		case upnext.String, upnext.Number, upnext.Bool, upnext.Time, upnext.Strings:
		default:
			return fmt.Errorf("spec: field %q: %q is no type: %w", name, t, upnext.ErrInvalid)
		}
	}
	return nil
}

// Widen returns s with the fields of other added; a field in both takes
// other's type. Another Dim is an ErrConflict.
func (s Spec) Widen(other Spec) (Spec, error) {
	if s.Dim != other.Dim {
		return Spec{}, fmt.Errorf("collection of %d components, asked for %d: %w", s.Dim, other.Dim, upnext.ErrConflict)
	}
	wide := Spec{Dim: s.Dim, Fields: make(map[string]upnext.AttributeType, len(s.Fields)+len(other.Fields))}
	maps.Copy(wide.Fields, s.Fields)
	maps.Copy(wide.Fields, other.Fields)
	return wide, nil
}

// CheckName reports as ErrInvalid what makes name no collection's: it is 1 to
// 128 of [a-z0-9-].
func CheckName(name string) error {
	ok := name != "" && len(name) <= MaxName
	for _, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}
	if !ok {
		return fmt.Errorf("collection %.80q: names are 1 to %d of [a-z0-9-]: %w", name, MaxName, upnext.ErrInvalid)
	}
	return nil
}
