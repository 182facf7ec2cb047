package centre

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"upnext"
	"upnext/embed"
)

// kept is the file of the means.
type kept struct {
	Model  string `json:"model"`
	Dim    int    `json:"dim"`
	Sample string `json:"sample"` // hash of the texts
	Means  Means  `json:"means"`
}

func sampleHash() string {
	sum := sha256.Sum256([]byte(sampleFile))
	return hex.EncodeToString(sum[:8])
}

// load reads the means of a model; nil where the file is not there. A file of
// another model is refused rather than written over: its vectors may be in use.
func load(file string, model embed.Model) (Means, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("means per language: %w", err)
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return nil, fmt.Errorf("means per language %s: %v: %w", file, err, upnext.ErrInvalid)
	}
	if k.Model != model.ID || k.Dim != model.Dim || k.Sample != sampleHash() {
		return nil, fmt.Errorf("means per language %s: of model %s with %d components, want %s with %d: %w",
			file, k.Model, k.Dim, model.ID, model.Dim, upnext.ErrInvalid)
	}
	for _, language := range []string{"", "en", "zh"} {
		if len(k.Means[language]) != model.Dim {
			return nil, fmt.Errorf("means per language %s: %q has %d components, want %d: %w",
				file, language, len(k.Means[language]), model.Dim, upnext.ErrInvalid)
		}
	}
	return k.Means, nil
}

// save writes the means, whole or not at all.
func save(file string, model embed.Model, means Means) error {
	if file == "" {
		return nil
	}
	data, err := json.Marshal(kept{model.ID, model.Dim, sampleHash(), means})
	if err != nil {
		return fmt.Errorf("means per language: %w", err)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("means per language: %w", err)
	}
	_, err = part.Write(data)
	err = errors.Join(err, part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		os.Remove(part.Name())
		return fmt.Errorf("means per language %s: %w", file, err)
	}
	return nil
}
