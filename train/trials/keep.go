package trials

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
	"upnext/learn/collab"
	"upnext/learn/content"
	"upnext/learn/sequence"
)

// fitSeconds is the setting in which a kept artefact says what fitting it cost.
const fitSeconds = "trial_seconds"

// keptName is the file of a fitted model: another entry, settings, seed or log
// is another file.
func keptName(en entry, f learn.Fitter, log learn.Log, seed uint64) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%T %+v %d %d", f, f, log.Items, seed)
	for _, v := range log.Viewers {
		fmt.Fprint(h, v.Items)
	}
	return fmt.Sprintf("%s-%016x.safetensors", strings.ReplaceAll(en.name, " ", "_"), h.Sum64())
}

// reload reads a model that an earlier run kept; false where none did.
func (t Trial) reload(name string) (fitted, bool, error) {
	if t.Keep == "" {
		return fitted{}, false, nil
	}
	path := filepath.Join(t.Keep, name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fitted{}, false, nil
	}
	f, err := load(path)
	return f, err == nil, err
}

// load reads a model from its artefact's file.
func load(path string) (fitted, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return fitted{}, fmt.Errorf("model: %w: %w", err, upnext.ErrNotFound)
	}
	if err != nil {
		return fitted{}, fmt.Errorf("model: %w: %w", err, upnext.ErrUnavailable)
	}
	defer file.Close()
	a, err := artefact.Read(file)
	if err != nil {
		return fitted{}, fmt.Errorf("model %s: %w", file.Name(), err)
	}
	var m learn.Model
	switch a.Kind {
	case "sasrec", "gru":
		m, err = sequence.Load(a)
	case "content":
		m, err = content.Load(a)
	default:
		m, err = collab.Load(a)
	}
	if err != nil {
		return fitted{}, fmt.Errorf("model %s: %w", file.Name(), err)
	}
	seconds, _ := a.Float(fitSeconds) // 0 of a file that another put there
	return fitted{model: m, seconds: seconds}, nil
}

// keep writes a model for reload, whole or not at all.
func (t Trial) keep(name string, f fitted) error {
	if t.Keep == "" {
		return nil
	}
	a := f.model.Artefact()
	if a.Settings["of"] != "" {
		return nil // it stands on another model: kept alone it is of no use
	}
	settings := map[string]string{fitSeconds: strconv.FormatFloat(f.seconds, 'f', 3, 64)}
	for k, v := range a.Settings {
		settings[k] = v
	}
	a.Settings = settings
	file, err := os.CreateTemp(t.Keep, "*.part")
	if err == nil {
		err = errors.Join(a.Write(file), file.Close())
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(t.Keep, name))
	}
	if err != nil {
		if file != nil {
			os.Remove(file.Name())
		}
		return fmt.Errorf("keep model %s: %w: %w", name, err, upnext.ErrUnavailable)
	}
	return nil
}
