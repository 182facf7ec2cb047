package upnext

import (
	"fmt"
	"time"
)

// Row is a row that a page is asked for: its own wishes, beside those of the page.
type Row struct {
	Name  string // another one in each row of a page
	Title string // shown above it; empty: the asker knows
	Fixed bool   // it stands where it was named; the other rows are put in order around it
	Least int    // with fewer items it is left out; default 1

	Scenario  string // default: the page's
	Count     int    // default: the page's
	Like      []ItemID
	Query     string
	Sources   []string
	Filter    string  // holds beside the page's
	Boosts    []Boost // after the page's
	Diversity *float64
}

// PageRequest asks for rows of items, none of them twice on the page. What Request
// says holds for each row, and its Count for those that name none.
type PageRequest struct {
	Request
	Rows []Row // nil: those that suit the viewer
}

// Bounds of a page: its rows, and the items that they ask for together.
const (
	MaxRows      = 30
	MaxPageItems = 1000
)

// Validate reports the first thing wrong with it, as a FieldError.
func (p PageRequest) Validate() error {
	for _, f := range []struct {
		field string
		given bool
	}{
		{"item_ids", len(p.Like)+len(p.Unlike)+len(p.Candidates) > 0}, {"query", p.Query != ""}, {"backfill", p.Backfill != ""},
	} {
		if f.given {
			return Invalid(f.field, "of no meaning for a page of rows")
		}
	}
	if err := p.Request.Validate(); err != nil {
		return err
	}
	if len(p.Rows) > MaxRows {
		return Invalid("rows", "%d, %d allowed", len(p.Rows), MaxRows)
	}
	named, total := make(map[string]int, len(p.Rows)), 0
	for i, row := range p.Rows {
		at := fmt.Sprintf("rows/%d", i)
		if before, twice := named[row.Name]; twice {
			return Invalid(at+"/name", "%.80q is the name of rows/%d already", row.Name, before)
		}
		named[row.Name] = i
		if err := Within(at, row.validate(p)); err != nil {
			return err
		}
		total += p.Of(row).Count
	}
	if total > MaxPageItems {
		return Invalid("rows", "%d items in all, %d allowed", total, MaxPageItems)
	}
	return nil
}

func (r Row) validate(of PageRequest) error {
	if field, found := withNUL("name", r.Name, "title", r.Title); found {
		return Invalid(field, "a NUL character")
	}
	asks := of.Of(r)
	switch {
	case len(r.Name) == 0 || len(r.Name) > MaxID:
		return Invalid("name", "%d bytes, 1 to %d allowed", len(r.Name), MaxID)
	case len(r.Title) > MaxTitle:
		return Invalid("title", "%d bytes, %d allowed", len(r.Title), MaxTitle)
	case r.Least < 0 || r.Least > asks.Count:
		return Invalid("min_count", "%d is not within 0 and the row's count of %d", r.Least, asks.Count)
	case len(r.Like) > 0 && r.Query != "":
		return Invalid("query", "beside item_ids: one of the two")
	}
	return asks.Validate()
}

// Of returns what a row asks for.
func (p PageRequest) Of(row Row) Request {
	req := p.Request
	req.Like, req.Query, req.Sources = row.Like, row.Query, row.Sources
	req.Boosts = append(req.Boosts[:len(req.Boosts):len(req.Boosts)], row.Boosts...)
	if row.Scenario != "" {
		req.Scenario = row.Scenario
	} else if req.Scenario == "" { // also where a row's items are like others, or found
		req.Scenario = "home"
	}
	if row.Count != 0 {
		req.Count = row.Count
	} else if req.Count == 0 {
		req.Count = DefaultCount
	}
	if row.Diversity != nil {
		req.Diversity = row.Diversity
	}
	switch {
	case p.Filter == "":
		req.Filter = row.Filter
	case row.Filter != "":
		req.Filter = "(" + p.Filter + ") and (" + row.Filter + ")"
	}
	return req
}

// PageRow is a row as it is shown. Its slate is an answer of its own: events and
// explanations are about that.
type PageRow struct {
	Row
	Worth float64 // what its first items are worth to the viewer, 0 to 1; rows that are not Fixed stand in the order of it
	Slate Slate
}

// LeftOut is a row that is not shown, and why.
type LeftOut struct {
	Row    string
	Reason string
}

// Page is rows of items in the order in which they are shown.
type Page struct {
	ID      SlateID // of what the rows' cursors share
	Rows    []PageRow
	LeftOut []LeftOut
	Took    time.Duration
}
