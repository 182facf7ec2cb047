package ingest

import (
	"time"

	"upnext"
	"upnext/index"
)

// batch is a few items on their way through the stages together.
type batch struct {
	tenant  upnext.Tenant
	source  string        // of the import; empty for the API
	schema  upnext.Schema // of the tenant's items, as the collection was opened with
	grow    bool          // attributes that the schema lacks extend it, instead of being an error
	works   []*work
	refused []upnext.ItemID // of an import: known by id, and not even read
	busy    [5]upnext.Stage // by stage, in the order of stageNames

	lane       lane
	index      index.Index
	collection string

	// sound are items whose vectors in other collections are still of the present words, though not marked so.
	sound map[string]map[upnext.ItemID]bool
}

// need is what an item still needs to be searchable as it stands now.
type need int

const (
	nothing need = iota
	fields       // the vector stays, what filters see has changed
	vectors
)

// work is one item on its way.
type work struct {
	entry  entry // of an import
	item   upnext.Item
	only   *int64 // of upnext.Record
	hash   string
	err    error // it was refused
	status upnext.PutStatus
	need   need
	faults []upnext.Failure

	text      string // what the Understander reads
	textVec   []float32
	passages  [][]float32
	content   []float32 // what the index keeps
	textMark  string    // of upnext.Indexing
	imageMark string
	given     map[string]string // the caller's key of each object that was copied, by the copy's
	noText    string            // why an import has not even a key of the transcript
	noImage   string            // the same for the thumbnail
}

// faulty notes that a part of the item could not be taken; the item goes on.
func (w *work) faulty(stage, key, cause string, err error) {
	w.faults = append(w.faults, upnext.Failure{
		Key: key, Item: w.item.ID, Stage: stage, Cause: cause, Detail: err.Error()})
}

func (w *work) result() Result {
	r := Result{ID: w.item.ID, Status: w.status, Err: w.err, Failures: w.faults}
	if w.err != nil {
		r.Status = ""
	}
	return r
}

// lacking are the works that need at least n.
func (b *batch) lacking(n need) []*work {
	var some []*work
	for _, w := range b.works {
		if w.err == nil && w.need >= n {
			some = append(some, w)
		}
	}
	return some
}

// moved says whether a reader of the catalogue could see a difference.
func (b *batch) moved() bool {
	for _, w := range b.works {
		if w.err == nil && (w.need != nothing || w.status != upnext.Unchanged) {
			return true
		}
	}
	return false
}

// stageNames are the stages that a batch keeps the time of.
var stageNames = [5]string{"read", "catalogued", "embedded", "understood", "indexed"}

// timed runs one stage over the batch and counts it.
func (b *batch) timed(stage string, run func() error) error {
	began := time.Now()
	err := run()
	for i, name := range stageNames {
		if name != stage {
			continue
		}
		b.busy[i].Name = stage
		b.busy[i].Busy += time.Since(began)
		if err != nil {
			break
		}
		switch stage {
		case "read", "catalogued":
			b.busy[i].Done += int64(len(b.lacking(nothing)))
		case "indexed":
			b.busy[i].Done += int64(len(b.lacking(fields)))
		default:
			b.busy[i].Done += int64(len(b.lacking(vectors)))
		}
	}
	return err
}
