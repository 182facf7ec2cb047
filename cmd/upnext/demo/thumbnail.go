package demo

import (
	"bytes"
	"fmt"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
)

// palette is the colours of a topic: sky, ground, three for the motif.
type palette [5]color.NRGBA

// scene is what every picture of a topic is made of.
type scene struct {
	colours palette
	motif   func(c *canvas, p palette, r *rand.Rand)
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

func colours(sky, ground, a, b, c uint32) palette {
	return palette{rgb(sky), rgb(ground), rgb(a), rgb(b), rgb(c)}
}

// scenes are the topics of the bundled catalogue.
var scenes = map[string]scene{
	"cooking":    {colours(0xffd9a0, 0xc8553d, 0x4a2c2a, 0xf28f3b, 0xfff3e0), cooking},
	"travel":     {colours(0x8fd3f4, 0xf6e7cb, 0x3b6978, 0x84a9ac, 0xffb26b), travel},
	"science":    {colours(0xe0f7fa, 0x4db6ac, 0x004d40, 0x00897b, 0xffca28), science},
	"space":      {colours(0x0b1026, 0x2b1055, 0x7597de, 0xe0c3fc, 0xffffff), space},
	"technology": {colours(0x0f2027, 0x2c5364, 0x00e5ff, 0x64ffda, 0xeceff1), technology},
	"gaming":     {colours(0x1b1035, 0x41295a, 0xff2e63, 0x08d9d6, 0xffe66d), gaming},
	"fitness":    {colours(0xfff1c1, 0xff7e5f, 0x2d2d34, 0x6a0572, 0xffffff), fitness},
	"fashion":    {colours(0xfde2e4, 0xcdb4db, 0x6d597a, 0xe56b6f, 0xfff1e6), fashion},
	"pets":       {colours(0xfff3d6, 0xe9c46a, 0x7f5539, 0xb08968, 0xffffff), pets},
	"nature":     {colours(0xd8f3dc, 0x52b788, 0x1b4332, 0x2d6a4f, 0xfefae0), nature},
	"history":    {colours(0xf3e9d2, 0xc6ac8f, 0x5e503f, 0x8d6b48, 0xeae0d5), history},
	"art":        {colours(0xfffcf2, 0xf7f0e3, 0xe63946, 0x457b9d, 0xf4a261), art},
	"film":       {colours(0x14110f, 0x34312d, 0xd9c5b2, 0x7e7f83, 0xf3f3f4), film},
	"comedy":     {colours(0xfff275, 0xff8c42, 0xff3c38, 0x3a3042, 0xffffff), comedy},
	"finance":    {colours(0xe8f5e9, 0xa5d6a7, 0x1b5e20, 0x43a047, 0xffb300), finance},
	"parenting":  {colours(0xfef6e4, 0xf3d2c1, 0x8bd3dd, 0xf582ae, 0x001858), parenting},
	"sports":     {colours(0x76c893, 0x168aad, 0xffffff, 0x184e77, 0xd9ed92), sports},
	"cars":       {colours(0xfad0c4, 0x596275, 0xc0392b, 0x2c3e50, 0xecf0f1), cars},
	"gardening":  {colours(0xe9f5db, 0xb5c99a, 0x718355, 0xd4a373, 0xfaa6a6), gardening},
	"music":      {colours(0x2a0845, 0x6441a5, 0xf857a6, 0xffc371, 0xffffff), music},
}

// Thumbnail draws an item's picture as a JPEG of 480 × 270 pixels: the motif
// and colours are its topic's, their arrangement follows from its id.
func Thumbnail(it Item) ([]byte, error) {
	s, ok := scenes[it.Topic]
	if !ok {
		return nil, fmt.Errorf("thumbnail of %s: no scene for topic %q", it.ID, it.Topic)
	}
	r := rand.New(rand.NewPCG(hash(it.ID), 2))
	c := newCanvas()
	p := s.colours
	p[0] = mix(p[0], p[2+r.IntN(3)], .12*r.Float64())
	c.gradient(p[0], p[1])
	s.motif(c, p, r)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, c.img, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("thumbnail of %s: %w", it.ID, err)
	}
	return out.Bytes(), nil
}
