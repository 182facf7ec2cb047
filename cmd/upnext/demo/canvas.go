package demo

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// Size of a thumbnail in pixels.
const (
	width  = 480
	height = 270
)

// canvas draws filled, smooth shapes. Coordinates are in units of the height,
// from the top left corner: x goes to 16/9, y to 1.
type canvas struct {
	img  *image.RGBA
	path *vector.Rasterizer
}

func newCanvas() *canvas {
	return &canvas{image.NewRGBA(image.Rect(0, 0, width, height)), vector.NewRasterizer(width, height)}
}

type point struct{ x, y float64 }

// fill paints the polygon that runs through the points. Only the box around it
// is rasterised: most shapes are small.
func (c *canvas) fill(col color.Color, points ...point) {
	box := image.Rectangle{Min: image.Pt(math.MaxInt32, math.MaxInt32), Max: image.Pt(math.MinInt32, math.MinInt32)}
	for _, p := range points {
		x, y := p.x*height, p.y*height
		box.Min.X, box.Min.Y = min(box.Min.X, int(math.Floor(x))), min(box.Min.Y, int(math.Floor(y)))
		box.Max.X, box.Max.Y = max(box.Max.X, int(math.Ceil(x))), max(box.Max.Y, int(math.Ceil(y)))
	}
	box = box.Intersect(c.img.Bounds())
	if box.Empty() {
		return
	}
	c.path.Reset(box.Dx(), box.Dy())
	for i, p := range points {
		x, y := float32(p.x*height)-float32(box.Min.X), float32(p.y*height)-float32(box.Min.Y)
		if i == 0 {
			c.path.MoveTo(x, y)
		} else {
			c.path.LineTo(x, y)
		}
	}
	c.path.ClosePath()
	c.path.DrawOp = draw.Over
	c.path.Draw(c.img, box, image.NewUniform(col), image.Point{})
}

// gradient paints the whole picture from top to bottom.
func (c *canvas) gradient(from, to color.NRGBA) {
	for y := range height {
		col := mix(from, to, float64(y)/(height-1))
		for x := range width {
			c.img.SetRGBA(x, y, color.RGBA(col)) // opaque, so the two are the same
		}
	}
}

func (c *canvas) disc(col color.Color, x, y, r float64) { c.ellipse(col, x, y, r, r, 0) }

// ellipse is turned by angle radians.
func (c *canvas) ellipse(col color.Color, x, y, rx, ry, angle float64) {
	const n = 48
	points := make([]point, n)
	sin, cos := math.Sincos(angle)
	for i := range points {
		s, k := math.Sincos(2 * math.Pi * float64(i) / n)
		points[i] = point{x + rx*k*cos - ry*s*sin, y + rx*k*sin + ry*s*cos}
	}
	c.fill(col, points...)
}

func (c *canvas) rect(col color.Color, x, y, w, h float64) {
	c.fill(col, point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

// line is a bar from a to b.
func (c *canvas) line(col color.Color, a, b point, thick float64) {
	dx, dy := b.x-a.x, b.y-a.y
	l := math.Hypot(dx, dy)
	if l == 0 {
		return
	}
	nx, ny := -dy/l*thick/2, dx/l*thick/2
	c.fill(col, point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})
}

// curve is a bar along f, for t from 0 to 1: one polygon, so that a faded
// colour is even.
func (c *canvas) curve(col color.Color, thick float64, f func(t float64) point) {
	const n = 64
	left, right := make([]point, 0, 2*n+2), make([]point, 0, n+1)
	for i := range n + 1 {
		t := float64(i) / n
		a, b := f(max(0, t-.004)), f(min(1, t+.004))
		dx, dy := b.x-a.x, b.y-a.y
		l := math.Hypot(dx, dy)
		if l == 0 {
			continue
		}
		m, nx, ny := f(t), -dy/l*thick/2, dx/l*thick/2
		left, right = append(left, point{m.x + nx, m.y + ny}), append(right, point{m.x - nx, m.y - ny})
	}
	for i := len(right) - 1; i >= 0; i-- {
		left = append(left, right[i])
	}
	c.fill(col, left...)
}

// ring is a circle's line.
func (c *canvas) ring(col color.Color, x, y, rx, ry, angle, thick float64) {
	sin, cos := math.Sincos(angle)
	c.curve(col, thick, func(t float64) point {
		s, k := math.Sincos(2 * math.Pi * t)
		return point{x + rx*k*cos - ry*s*sin, y + rx*k*sin + ry*s*cos}
	})
}

// star has n points.
func (c *canvas) star(col color.Color, x, y, r float64, n int, turn float64) {
	points := make([]point, 2*n)
	for i := range points {
		radius := r
		if i%2 == 1 {
			radius = r * .45
		}
		s, k := math.Sincos(turn + math.Pi*float64(i)/float64(n))
		points[i] = point{x + radius*k, y + radius*s}
	}
	c.fill(col, points...)
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	m := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t + .5) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

// faded returns col with an opacity of a, 0 to 1.
func faded(col color.NRGBA, a float64) color.NRGBA {
	col.A = uint8(255 * a)
	return col
}
