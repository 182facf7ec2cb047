package endpoint

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"upnext/embed"
)

// probeOf is an input that every server of its kind takes.
func probeOf(of embed.Modality) embed.Input {
	if of == embed.Text {
		return embed.Input{Text: "hello"}
	}
	picture := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		picture.SetNRGBA(i%64, i/64, color.NRGBA{uint8(i % 64 * 4), uint8(i / 64 * 4), 128, 255})
	}
	var b bytes.Buffer
	_ = png.Encode(&b, picture) // neither the picture nor the buffer can fail
	return embed.Input{Image: b.Bytes()}
}
