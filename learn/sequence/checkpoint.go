package sequence

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	"upnext/learn/artefact"
)

// Checkpoint keeps the state of one run. Errors end the run and should be one
// of the root package's four.
type Checkpoint interface {
	// Save replaces what is kept, once an epoch.
	Save(state []byte) error

	// Load answers what was saved last, or nothing where nothing was.
	Load() ([]byte, error)
}

const runKind = "sequence-run"

// fingerprint tells runs apart: settings, form, and every act of the log.
func (r *run) fingerprint() string {
	h := fnv.New64a()
	number := func(n int) { _ = binary.Write(h, binary.LittleEndian, int64(n)) } // a hash takes everything
	fmt.Fprintf(h, "%s %+v %v %+v %d", r.net.name(), r.plain(), r.net.settings(), r.net.layout().blocks, r.log.items)
	_ = binary.Write(h, binary.LittleEndian, r.Init)
	for _, acts := range r.log.fitting {
		number(len(acts))
		_ = binary.Write(h, binary.LittleEndian, acts)
	}
	for _, j := range r.log.judges {
		number(len(j.before))
		number(int(j.last))
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// save keeps the run as it stands between two epochs.
func (r *run) save() error {
	if r.Checkpoint == nil {
		return nil
	}
	a := artefact.Artefact{Kind: runKind, Version: 1, Tensors: map[string]artefact.Tensor{}, Settings: map[string]string{
		"run": r.mark, "metric": strconv.FormatFloat(r.metric, 'g', -1, 64),
		"epoch": strconv.Itoa(r.epoch), "step": strconv.Itoa(r.opt.step), "idle": strconv.Itoa(r.idle),
	}}
	for name, v := range r.parts() {
		if len(*v) > 0 {
			a.Tensors[name] = artefact.Floats(*v, len(*v))
		}
	}
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		return fmt.Errorf("checkpoint of epoch %d: %w", r.epoch, err)
	}
	if err := r.Checkpoint.Save(b.Bytes()); err != nil {
		return fmt.Errorf("checkpoint of epoch %d: %w", r.epoch, err)
	}
	return nil
}

// parts are the numbers that an epoch leaves to the next.
func (r *run) parts() map[string]*[]float32 {
	return map[string]*[]float32{"weights": &r.v.w, "mean": &r.opt.mean, "square": &r.opt.square, "average": &r.average, "best": &r.best}
}

// resume goes on where the run of the same settings and log was left. What
// another run left is passed over; what is damaged is ErrInvalid.
func (r *run) resume() error {
	if r.Checkpoint == nil {
		return nil
	}
	raw, err := r.Checkpoint.Load()
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if len(raw) == 0 {
		return nil
	}
	a, err := artefact.Read(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if a.Kind != runKind || a.Version != 1 || a.Settings["run"] != r.mark {
		return nil
	}
	for name, to := range map[string]*int{"epoch": &r.epoch, "step": &r.opt.step, "idle": &r.idle} {
		if *to, err = a.Int(name); err != nil {
			return fmt.Errorf("resume: %w", err)
		}
	}
	if r.metric, err = a.Float("metric"); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	parts := r.parts()
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if _, kept := a.Tensors[name]; !kept && name != "weights" {
			continue // not yet, or not with these settings
		}
		v, _, err := a.Floats(name, r.v.size)
		if err != nil {
			return fmt.Errorf("resume: %w", err)
		}
		*parts[name] = v
	}
	return nil
}
