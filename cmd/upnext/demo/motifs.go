package demo

import (
	"math"
	"math/rand/v2"
)

// wide is the picture's width in units of its height.
const wide = float64(width) / height

// between draws a number from a to b.
func between(r *rand.Rand, a, b float64) float64 { return a + (b-a)*r.Float64() }

func cooking(c *canvas, p palette, r *rand.Rand) {
	x, y, s := between(r, .6, 1.2), between(r, .6, .7), between(r, .8, 1.15)
	c.rect(p[2], 0, .86, wide, .14)
	for i := range 3 {
		sx, sway := x+(float64(i)-1)*.14*s, between(r, .02, .05)
		c.curve(faded(p[4], .8), .025, func(t float64) point { return point{sx + sway*math.Sin(t*9), y - .16*s - .3*t} })
	}
	c.ellipse(p[2], x, y-.13*s, .33*s, .05*s, 0)
	c.rect(p[3], x-.33*s, y-.13*s, .66*s, .3*s)
	c.ellipse(p[3], x, y+.17*s, .33*s, .07*s, 0)
	c.rect(p[2], x-.45*s, y-.06*s, .13*s, .05*s)
	c.rect(p[2], x+.32*s, y-.06*s, .13*s, .05*s)
	for range 4 + r.IntN(5) {
		c.disc(p[2+r.IntN(3)], between(r, .1, wide-.1), between(r, .88, .95), between(r, .02, .05))
	}
}

func travel(c *canvas, p palette, r *rand.Rand) {
	c.disc(p[4], between(r, .3, 1.5), between(r, .2, .35), between(r, .09, .14))
	for i := range 3 {
		base := .62 + .14*float64(i)
		col := mix(p[3], p[2], float64(i)/2)
		for x := between(r, -.3, 0); x < wide; {
			w, h := between(r, .35, .8), between(r, .15, .4)
			c.fill(col, point{x, base + .1}, point{x + w/2, base - h}, point{x + w, base + .1})
			x += w * .6
		}
		c.rect(col, 0, base+.09, wide, .5)
	}
	x := between(r, .4, 1.2)
	c.curve(p[1], .05, func(t float64) point { return point{x + .25*math.Sin(t*5)*(1-t*.7), 1.05 - .35*t} })
}

func science(c *canvas, p palette, r *rand.Rand) {
	x, y, turn := between(r, .5, 1.3), between(r, .42, .58), r.Float64()*math.Pi
	for i := range 3 {
		angle := turn + float64(i)*math.Pi/3
		c.ring(p[2], x, y, .38, .13, angle, .016)
		s, k := math.Sincos(between(r, 0, 2*math.Pi))
		c.disc(p[4], x+.38*k*math.Cos(angle)-.13*s*math.Sin(angle), y+.38*k*math.Sin(angle)+.13*s*math.Cos(angle), .035)
	}
	c.disc(p[3], x, y, .08)
	for range 10 {
		c.disc(faded(p[3], .35), between(r, 0, wide), between(r, 0, 1), between(r, .01, .05))
	}
}

func space(c *canvas, p palette, r *rand.Rand) {
	for range 90 {
		c.disc(faded(p[4], between(r, .3, 1)), between(r, 0, wide), between(r, 0, 1), between(r, .002, .007))
	}
	x, y, s, tilt := between(r, .5, 1.3), between(r, .4, .6), between(r, .17, .29), between(r, -.6, .6)
	c.disc(p[2], x, y, s)
	for i := range 4 {
		c.ellipse(faded(p[3], .25), x, y+(float64(i)-1.5)*s*.4, s*.85, s*.09, tilt*.3)
	}
	c.ring(p[3], x, y, s*1.8, s*.4, tilt, .018)
	c.disc(p[3], between(r, .1, wide-.1), between(r, .1, .3), between(r, .03, .07))
}

func technology(c *canvas, p palette, r *rand.Rand) {
	for range 16 {
		x, y := between(r, 0, wide), between(r, 0, 1)
		dx, dy := between(r, -.4, .4), between(r, -.3, .3)
		col := faded(p[2+r.IntN(2)], .7)
		c.line(col, point{x, y}, point{x + dx, y}, .01)
		c.line(col, point{x + dx, y}, point{x + dx, y + dy}, .01)
		c.disc(col, x+dx, y+dy, .02)
	}
	x, y, s := between(r, .6, 1.1), between(r, .4, .6), between(r, .15, .22)
	for i := range 6 {
		o := (float64(i) - 2.5) * s * .36
		c.rect(p[4], x+o-.01, y-s*1.35, .02, s*2.7)
		c.rect(p[4], x-s*1.35, y+o-.01, s*2.7, .02)
	}
	c.rect(p[1], x-s, y-s, 2*s, 2*s)
	c.rect(p[2], x-s*.6, y-s*.6, 1.2*s, 1.2*s)
	c.rect(p[1], x-s*.45, y-s*.45, .9*s, .9*s)
}

func gaming(c *canvas, p palette, r *rand.Rand) {
	const cell = .075
	for i := range 24 {
		h := int(between(r, 0, 4))
		for j := range h {
			c.rect(mix(p[1], p[3], .5), float64(i)*cell, 1-float64(j+1)*cell, cell*.94, cell*.94)
		}
	}
	x0, y0 := between(r, .4, 1), between(r, .15, .3)
	col := p[2+r.IntN(3)]
	for y := range 7 {
		for x := range 4 {
			if r.Float64() < .6 {
				c.rect(col, x0+float64(x)*cell, y0+float64(y)*cell, cell*.95, cell*.95)
				c.rect(col, x0+float64(7-x)*cell, y0+float64(y)*cell, cell*.95, cell*.95)
			}
		}
	}
}

func fitness(c *canvas, p palette, r *rand.Rand) {
	for i := range 5 {
		x := float64(i)*.45 + between(r, -.4, -.2)
		c.fill(faded(p[4], .25), point{x, 1}, point{x + .5, 0}, point{x + .62, 0}, point{x + .12, 1})
	}
	x, y, l, tilt := between(r, .7, 1.1), between(r, .4, .6), between(r, .3, .42), between(r, -.5, .5)
	sin, cos := math.Sincos(tilt)
	at := func(d float64) point { return point{x + d*cos, y + d*sin} }
	c.line(p[2], at(-l*1.25), at(l*1.25), .045)
	for i, d := range []float64{.7, .85, 1} {
		h := .42 - .1*float64(i)
		for _, side := range []float64{-1, 1} {
			m := at(side * l * d)
			c.line(p[2+i%2], point{m.x - h/2*sin, m.y + h/2*cos}, point{m.x + h/2*sin, m.y - h/2*cos}, .055)
		}
	}
}

func fashion(c *canvas, p palette, r *rand.Rand) {
	n, tilt := 5+r.IntN(5), between(r, .1, .5)
	for i := range n {
		x := wide*float64(i)/float64(n)*1.3 - .3
		c.fill(faded(p[2+i%3], .35), point{x, 0}, point{x + .12, 0}, point{x + .12 + tilt, 1}, point{x + tilt, 1})
	}
	x, y := between(r, .6, 1.15), between(r, .2, .28)
	c.curve(p[2], .02, func(t float64) point {
		return point{x + .05*math.Sin(t*4.2), y - .1 + .1*t}
	})
	c.line(p[2], point{x, y}, point{x - .35, y + .18}, .025)
	c.line(p[2], point{x, y}, point{x + .35, y + .18}, .025)
	flare := between(r, .2, .42)
	c.fill(p[3], point{x - .2, y + .1}, point{x + .2, y + .1}, point{x + .11, y + .35}, point{x + flare, y + .72}, point{x - flare, y + .72}, point{x - .11, y + .35})
	c.rect(p[4], x-.115, y+.33, .23, .04)
}

func pets(c *canvas, p palette, r *rand.Rand) {
	for range 5 + r.IntN(3) {
		x, y, s, turn := between(r, .1, wide-.1), between(r, .1, .9), between(r, .05, .13), between(r, -.7, .7)
		col := p[2+r.IntN(3)]
		c.ellipse(col, x, y, s, s*.8, turn)
		for i := range 4 {
			a := turn - math.Pi/2 + (float64(i)-1.5)*.55
			c.ellipse(col, x+1.45*s*math.Cos(a), y+1.45*s*math.Sin(a), s*.33, s*.42, a)
		}
	}
}
