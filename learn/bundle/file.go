package bundle

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"upnext"
	"upnext/learn"
	"upnext/learn/artefact"
)

// A bundle is a zip archive without compression: manifest.json, items.txt (an
// id a line, as a Go string literal) and a safetensors file a model, and one a
// map of Content. What is
// cut short has no directory, what is damaged fails its checksum.
const (
	manifestFile = "manifest.json"
	itemsFile    = "items.txt"
	most         = 4 << 30 // bytes of a bundle
)

// Load makes a model out of its artefact.
type Load func(artefact.Artefact) (learn.Model, error)

// Write stores a bundle. The parts' File and Bytes are filled in.
func (b *Bundle) Write(w io.Writer) error {
	if err := b.check(); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for i, m := range b.Models {
		part := &b.Manifest.Models[i]
		part.File = fmt.Sprintf("%d-%s.safetensors", i, m.Name())
		out := counted{w: create(z, part.File)}
		if err := m.Artefact().Write(&out); err != nil {
			return fmt.Errorf("bundle %s: %w", b.Version, err)
		}
		part.Bytes = out.n
	}
	if err := b.writePlaces(z); err != nil {
		return fmt.Errorf("bundle %s: %w", b.Version, err)
	}
	items := bufio.NewWriter(create(z, itemsFile))
	for _, id := range b.Items {
		fmt.Fprintln(items, strconv.Quote(string(id)))
	}
	manifest, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err == nil {
		err = items.Flush()
	}
	if err == nil {
		_, err = create(z, manifestFile).Write(manifest)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("bundle %s: %w", b.Version, err)
	}
	return nil
}

// create begins a file; what fails, fails its first Write.
func create(z *zip.Writer, name string) io.Writer {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return failing{err}
	}
	return w
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Read reads a whole bundle. What is damaged, of another format or does not fit
// together is ErrInvalid.
func Read(r io.Reader, load Load) (*Bundle, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	b, err := parse(raw, load)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	return b, nil
}

func parse(raw []byte, load Load) (*Bundle, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("%d bytes that are no whole archive: %w: %w", len(raw), upnext.ErrInvalid, err)
	}
	var m Manifest
	text, err := content(z, manifestFile)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, invalid(err))
	}
	if m.Format != Format {
		return nil, fmt.Errorf("format %d: this program reads %d: %w", m.Format, Format, upnext.ErrInvalid)
	}
	text, err = content(z, itemsFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", itemsFile, err)
	}
	var items []upnext.ItemID
	for line := range strings.Lines(string(text)) {
		id, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", itemsFile, len(items)+1, invalid(err))
		}
		items = append(items, upnext.ItemID(id))
	}
	models := make([]learn.Model, len(m.Models))
	for i, part := range m.Models {
		raw, err := content(z, part.File)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.File, err)
		}
		a, err := artefact.Read(bytes.NewReader(raw))
		if err == nil {
			models[i], err = load(a)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.File, err)
		}
	}
	places, err := readPlaces(z, m.Content)
	if err != nil {
		return nil, err
	}
	return New(m, items, models, places...)
}

// content reads one file of the archive and compares its checksum.
func content(z *zip.Reader, name string) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, invalid(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(f)
	if err != nil {
		return nil, invalid(err)
	}
	return raw, nil
}

func invalid(err error) error {
	if errors.Is(err, upnext.ErrInvalid) {
		return err
	}
	return fmt.Errorf("%w: %w", upnext.ErrInvalid, err)
}
