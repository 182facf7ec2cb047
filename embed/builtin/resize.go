package builtin

import (
	"image"
	"image/color"
)

// tap is the share of one source pixel in one of the side target pixels.
type tap struct {
	to    int
	share float32
}

// spread gives, for each of n source pixels, the targets that it goes to. Each
// target is the mean of the source under a triangle as wide as two targets, or
// two source pixels where those are larger: bilinear, and without aliasing on
// the way down.
func spread(n int) [][]tap {
	taps := make([][]tap, n)
	scale := float64(n) / side
	reach := max(scale, 1)
	for to := range side {
		centre := (float64(to) + 0.5) * scale
		first, last := max(int(centre-reach), 0), min(int(centre+reach), n-1)
		var sum float64
		at := func(i int) float64 {
			d := (float64(i) + 0.5 - centre) / reach
			return max(1-max(d, -d), 0)
		}
		for i := first; i <= last; i++ {
			sum += at(i)
		}
		for i := first; i <= last; i++ {
			if share := at(i); share > 0 {
				taps[i] = append(taps[i], tap{to, float32(share / sum)})
			}
		}
	}
	return taps
}

// resize squeezes the crop of im to side × side pixels of RGB, (value − 127) /
// 128, into out. It goes through im once, row by row, and holds one row.
func resize(out []float32, im image.Image) {
	b := crop(im.Bounds())
	across, down := spread(b.Dx()), spread(b.Dy())
	row := make([]uint8, 3*b.Dx())
	var line [3 * side]float32
	clear(out)
	for y, targets := range down {
		if len(targets) == 0 {
			continue
		}
		readRow(row, im, b, b.Min.Y+y)
		clear(line[:])
		for x, taps := range across {
			r, g, b := float32(row[3*x]), float32(row[3*x+1]), float32(row[3*x+2])
			for _, t := range taps {
				px := line[3*t.to:][:3]
				px[0] += t.share * r
				px[1] += t.share * g
				px[2] += t.share * b
			}
		}
		for _, t := range targets {
			to := out[t.to*3*side:][:3*side]
			for i, v := range line {
				to[i] += t.share * v
			}
		}
	}
	for i, v := range out {
		out[i] = (v - 127) / 128
	}
}

// readRow reads a row of im as RGB over white. The kinds that the decoders make
// are read straight from their pixels.
func readRow(row []uint8, im image.Image, b image.Rectangle, y int) {
	switch im := im.(type) {
	case *image.YCbCr:
		shift := 0 // how many pixels share a colour, as a power of two
		switch im.SubsampleRatio {
		case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
			shift = 1
		case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
			shift = 2
		}
		luma, first := im.Y[im.YOffset(b.Min.X, y):][:b.Dx()], im.COffset(b.Min.X, y)
		for x, l := range luma {
			c := first + (b.Min.X+x)>>shift - b.Min.X>>shift
			row[3*x], row[3*x+1], row[3*x+2] = color.YCbCrToRGB(l, im.Cb[c], im.Cr[c])
		}
	case *image.Gray:
		pix := im.Pix[im.PixOffset(b.Min.X, y):]
		for x, v := range pix[:b.Dx()] {
			row[3*x], row[3*x+1], row[3*x+2] = v, v, v
		}
	case *image.NRGBA:
		pix := im.Pix[im.PixOffset(b.Min.X, y):]
		for x := range b.Dx() {
			p := pix[4*x:][:4]
			if p[3] == 255 {
				row[3*x], row[3*x+1], row[3*x+2] = p[0], p[1], p[2]
				continue
			}
			a, white := uint32(p[3]), 255*(255-uint32(p[3]))
			for k := range 3 {
				row[3*x+k] = uint8((uint32(p[k])*a + white + 127) / 255)
			}
		}
	case *image.RGBA:
		pix := im.Pix[im.PixOffset(b.Min.X, y):]
		for x := range b.Dx() {
			p := pix[4*x:][:4]
			white := 255 - p[3]
			row[3*x], row[3*x+1], row[3*x+2] = p[0]+white, p[1]+white, p[2]+white
		}
	case *image.Paletted:
		var palette [256][3]uint8
		for i, c := range im.Palette[:min(len(im.Palette), 256)] {
			palette[i] = overWhite(c)
		}
		pix := im.Pix[im.PixOffset(b.Min.X, y):]
		for x, i := range pix[:b.Dx()] {
			copy(row[3*x:], palette[i][:])
		}
	default:
		for x := range b.Dx() {
			c := overWhite(im.At(b.Min.X+x, y))
			copy(row[3*x:], c[:])
		}
	}
}

func overWhite(c color.Color) [3]uint8 {
	r, g, b, a := c.RGBA()
	white := 0xffff - a
	return [3]uint8{uint8((r + white) >> 8), uint8((g + white) >> 8), uint8((b + white) >> 8)}
}
