package builtin

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the formats that image.Decode reads
	_ "image/png"

	_ "golang.org/x/image/webp"

	"upnext"
)

// What a picture may measure.
const (
	MaxImageBytes  = 20 << 20   // encoded
	MaxImagePixels = 40_000_000 // decoded
)

// judge gives a picture's number of pixels by its header, and refuses what is too
// large before anything is decoded. Its errors are ErrInvalid.
func judge(b []byte) (pixels int, err error) {
	if len(b) > MaxImageBytes {
		return 0, fmt.Errorf("picture of %d bytes, at most %d are read: %w", len(b), MaxImageBytes, upnext.ErrInvalid)
	}
	defer contain(&err)
	header, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return 0, fmt.Errorf("picture of %d bytes is no readable JPEG, PNG or WebP: %v: %w", len(b), err, upnext.ErrInvalid)
	}
	w, h := header.Width, header.Height
	if w <= 0 || h <= 0 || w > MaxImagePixels/h {
		return 0, fmt.Errorf("picture (%s) of %d × %d pixels, at most %d are decoded: %w", format, w, h, MaxImagePixels, upnext.ErrInvalid)
	}
	return w * h, nil
}

// decode reads a picture that was judged. Its errors are ErrInvalid.
func decode(b []byte) (im image.Image, err error) {
	defer contain(&err)
	im, format, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("picture (%s, %d bytes): %v: %w", format, len(b), err, upnext.ErrInvalid)
	}
	return im, nil
}

// contain turns a panic into an ErrInvalid. The decoders are others' code and
// pictures come from anywhere: a fault in one must cost one picture and not the
// process.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("picture: its decoder gave up: %v: %w", r, upnext.ErrInvalid)
	}
}

// crop is the part of a picture that the encoder sees: all of it, or where it is
// longer than 4:3 either way the middle.
func crop(b image.Rectangle) image.Rectangle {
	if w := max(b.Dy()*4/3, 1); b.Dx() > w {
		b.Min.X += (b.Dx() - w) / 2
		b.Max.X = b.Min.X + w
	}
	if h := max(b.Dx()*4/3, 1); b.Dy() > h {
		b.Min.Y += (b.Dy() - h) / 2
		b.Max.Y = b.Min.Y + h
	}
	return b
}
