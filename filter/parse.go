package filter

import "upnext"

// Filter is a parsed and type-checked expression. It is immutable and safe
// for concurrent use.
type Filter struct{ src string }

// Parse is being written by the filter room.
func Parse(src string, attributes upnext.Schema) (*Filter, error) { return &Filter{src}, nil }

// Match reports whether an item passes.
func (f *Filter) Match(fields upnext.Fields, vars Vars) bool { return false }

// Bind returns the tree for an index.
func (f *Filter) Bind(vars Vars) Node { return Opaque{} }

// Relax returns a tree without Opaque and without leaves that can refuses:
// true wherever n may be true, under any number of Nots.
func Relax(n Node, can func(leaf Node) bool) Node { return n }
