package sequence

import (
	"fmt"
	"maps"
	"strconv"

	"upnext"
	"upnext/learn/artefact"
)

const version = 1 // of the layout of the artefacts

// describe is what an artefact tells people of its fitting.
func (r *run) describe() map[string]string {
	made := map[string]string{
		"fitted": fmt.Sprintf("%+v", r.plain()), "epochs": strconv.Itoa(r.epoch), "loss": strconv.FormatFloat(r.loss, 'g', 6, 64),
	}
	if len(r.log.judges) > 0 {
		made["validation_ndcg@10"] = strconv.FormatFloat(r.metric, 'g', 6, 64)
	}
	return made
}

// Artefact implements learn.Model, for other programs that write it too.
//
// Both kinds have items [I][D], which are the vectors that go in and come out.
// In 8 bits they are items.codes [I][D] and items.scales [I]. All products are
// x·W, so that a matrix is [from][to], PyTorch's transposed.
//
// A gru is in [D][3H], in_bias, on [H][3H] and on_bias with the gates in the
// order reset, update, new; dense [H][D], dense_bias; gain, shift [D] of the
// normalisation; and the setting length.
//
// A sasrec is positions [L][D]; for each block i.gain1, i.shift1 [D], i.qkv
// [D][3D] (queries, keys, values, each head by head), i.qkv_bias, i.out [D][D],
// i.out_bias, i.ago [heads][L] (what is added to a score, column L-1-k for k
// acts ago), i.gain2, i.shift2, i.up [D][F], i.up_bias, i.down [F][D],
// i.down_bias; gain, shift [D]; and the settings heads and blocks. A block is x
// += out(attend(norm1 x)), x += down(relu(up(norm2 x))), with 1e-5 in the norms.
func (m *Model) Artefact() artefact.Artefact {
	a := artefact.Artefact{Kind: m.Name(), Version: version, Settings: maps.Clone(m.made), Tensors: map[string]artefact.Tensor{}}
	if a.Settings == nil {
		a.Settings = map[string]string{}
	}
	for name, n := range m.net.settings() {
		a.Settings[name] = strconv.Itoa(n)
	}
	for _, b := range m.v.blocks {
		if b.at == m.v.items && m.vectors8 != nil {
			a.Tensors["items.codes"] = artefact.Bytes(m.vectors8.codes, b.shape...)
			a.Tensors["items.scales"] = artefact.Floats(m.vectors8.scales, m.items)
			continue
		}
		a.Tensors[b.name] = artefact.Floats(m.v.w[b.at:][:b.n], b.shape...)
	}
	return a
}

// Load reads what Artefact wrote, of any kind of this package. What does not
// fit together is ErrInvalid.
func Load(a artefact.Artefact) (*Model, error) {
	m, err := load(a)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", a.Kind, err)
	}
	return m, nil
}

func load(a artefact.Artefact) (*Model, error) {
	items := "items"
	if _, small := a.Tensors["items.codes"]; small {
		items = "items.codes"
	}
	shape := a.Tensors[items].Shape
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("items' vectors of shape %v: %w", shape, upnext.ErrInvalid)
	}
	var net network
	var err error
	switch a.Kind {
	case "sasrec":
		net, err = loadSASRec(a, shape[0], shape[1])
	case "gru":
		net, err = loadGRU(a, shape[0], shape[1])
	default:
		err = fmt.Errorf("there are sasrec and gru: %w", upnext.ErrInvalid)
	}
	if err == nil {
		err = a.Expect(a.Kind, version)
	}
	if err != nil {
		return nil, err
	}
	v := &weights{layout: net.layout()}
	var small *bytes8
	if items == "items" {
		v.w = make([]float32, v.size)
	} else {
		v.w = make([]float32, v.items)
		if small, err = loadBytes(a, shape); err != nil {
			return nil, err
		}
	}
	for _, b := range v.blocks {
		if b.at == v.items && small != nil {
			continue
		}
		numbers, _, err := a.Floats(b.name, b.shape...)
		if err != nil {
			return nil, err
		}
		copy(v.w[b.at:], numbers)
	}
	m := newModel(net, v, maps.Clone(a.Settings))
	m.vectors8 = small
	return m, nil
}

func loadBytes(a artefact.Artefact, shape []int) (*bytes8, error) {
	codes, _, err := a.Bytes("items.codes", shape...)
	if err != nil {
		return nil, err
	}
	scales, _, err := a.Floats("items.scales", shape[0])
	if err != nil {
		return nil, err
	}
	return &bytes8{codes, scales, shape[1]}, nil
}

// side is the length of a tensor along one of its dimensions; 0 where it has
// none, which no network takes.
func side(a artefact.Artefact, name string, along int) int {
	if shape := a.Tensors[name].Shape; along < len(shape) {
		return shape[along]
	}
	return 0
}

func loadSASRec(a artefact.Artefact, items, d int) (*sasrec, error) {
	heads, err := a.Int("heads")
	if err != nil {
		return nil, err
	}
	blocks, err := a.Int("blocks")
	if err != nil {
		return nil, err
	}
	s := SASRec{Dim: d, Blocks: blocks, Heads: heads, Length: side(a, "positions", 0), Hidden: side(a, "0.up", 1)}
	if blocks < 1 || heads < 1 || s.Length < 1 || s.Hidden < 1 || side(a, "positions", 1) != d || side(a, "0.up", 0) != d {
		return nil, fmt.Errorf("%d blocks, %d heads, length %d, %d hidden: %w", blocks, heads, s.Length, s.Hidden, upnext.ErrInvalid)
	}
	return s.network(items)
}
