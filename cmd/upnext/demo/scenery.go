package demo

import (
	"math"
	"math/rand/v2"
)

func nature(c *canvas, p palette, r *rand.Rand) {
	c.disc(p[4], between(r, .2, 1.6), between(r, .15, .3), between(r, .07, .12))
	for layer := range 3 {
		base := .7 + .13*float64(layer)
		col := mix(p[3], p[2], float64(layer)/2)
		for x := between(r, -.1, .1); x < wide; x += between(r, .12, .25) {
			h := between(r, .25, .5)
			for k := range 3 {
				w, top := .05+.035*float64(k), base-h+h*.25*float64(k)
				c.fill(col, point{x - w, top + h*.4}, point{x, top}, point{x + w, top + h*.4})
			}
			c.rect(col, x-.012, base-.05, .024, .2)
		}
		c.rect(col, 0, base+.08, wide, .4)
	}
}

func history(c *canvas, p palette, r *rand.Rand) {
	n, x, y := 4+r.IntN(3), between(r, .25, .45), between(r, .26, .36)
	w := between(r, .9, 1.15)
	c.fill(p[3], point{x - .06, y}, point{x + w/2, y - .2}, point{x + w + .06, y})
	c.rect(p[2], x-.06, y, w+.12, .05)
	for i := range n {
		cx := x + w*(float64(i)+.5)/float64(n)
		h := .5
		if r.Float64() < .2 {
			h = between(r, .15, .35) // a broken one
		}
		top := y + .55 - h
		c.rect(p[4], cx-.045, top, .09, h)
		c.rect(p[3], cx-.015, top, .012, h)
		c.rect(p[3], cx-.065, y+.52, .13, .04)
	}
	c.rect(p[2], x-.12, y+.56, w+.24, .05)
	c.rect(p[3], x-.18, y+.61, w+.36, .05)
}

func art(c *canvas, p palette, r *rand.Rand) {
	for range 7 + r.IntN(4) {
		x, y, dx, dy, bend := between(r, 0, 1.5), between(r, 0, 1), between(r, .2, .8), between(r, -.4, .4), between(r, -.4, .4)
		c.curve(faded(p[2+r.IntN(3)], .8), between(r, .04, .13), func(t float64) point {
			return point{x + dx*t, y + dy*t + bend*math.Sin(t*math.Pi)}
		})
		c.ellipse(p[2+r.IntN(3)], x+dx, y+dy, .05, .03, bend)
	}
	for range 14 {
		c.disc(p[2+r.IntN(3)], between(r, 0, wide), between(r, 0, 1), between(r, .005, .03))
	}
}

func film(c *canvas, p palette, r *rand.Rand) {
	x, s := between(r, .3, .9), between(r, .8, 1.1)
	c.fill(faded(p[2], .25), point{x, .5}, point{wide, .5 - .55*s}, point{wide, .5 + .55*s})
	c.fill(faded(p[4], .2), point{x, .5}, point{wide, .5 - .3*s}, point{wide, .5 + .3*s})
	for _, y := range []float64{.04, .86} {
		c.rect(p[3], 0, y, wide, .1)
		for i := range 18 {
			c.rect(p[0], float64(i)*.105+.02, y+.025, .05, .05)
		}
	}
	for i, rx := range []float64{-.13, .13} {
		y := .33 + .04*float64(i)
		c.disc(p[2], x+rx, y, .12)
		turn := r.Float64() * 2
		for k := range 5 {
			sn, cs := math.Sincos(turn + float64(k)*2*math.Pi/5)
			c.disc(p[1], x+rx+.07*cs, y+.07*sn, .025)
		}
	}
	c.rect(p[2], x-.22, .46, .42, .24)
	c.fill(p[4], point{x + .2, .56}, point{x + .32, .5}, point{x + .32, .68}, point{x + .2, .62})
}

func comedy(c *canvas, p palette, r *rand.Rand) {
	for i := range 12 {
		a := float64(i) * math.Pi / 6
		c.fill(faded(p[4], .25), point{wide / 2, .5}, point{wide/2 + 2*math.Cos(a), .5 + 2*math.Sin(a)}, point{wide/2 + 2*math.Cos(a+.26), .5 + 2*math.Sin(a+.26)})
	}
	for i := range 1 + r.IntN(3) {
		x, y, s := .5+.4*float64(i)+between(r, -.1, .1), between(r, .35, .65), between(r, .15, .27)
		c.disc(p[2+i%2], x, y, s)
		for _, e := range []float64{-.35, .35} {
			c.disc(p[4], x+e*s, y-.25*s, .17*s)
			c.disc(p[3], x+e*s+.04*s, y-.25*s, .08*s)
		}
		c.curve(p[4], .13*s, func(t float64) point {
			sn, cs := math.Sincos(math.Pi * (.15 + .7*t))
			return point{x + .6*s*cs, y + .1*s + .5*s*sn}
		})
	}
}

func finance(c *canvas, p palette, r *rand.Rand) {
	for i := range 5 {
		c.rect(faded(p[2], .15), 0, .15+.17*float64(i), wide, .006)
	}
	n, level := 9, between(r, .15, .4)
	var last point
	for i := range n {
		level = min(.8, max(.08, level+between(r, -.1, .16)))
		x := .12 + float64(i)*.18
		c.rect(p[2+i%2], x, .92-level, .11, level)
		next := point{x + .055, .86 - level}
		if i > 0 {
			c.line(p[4], last, next, .02)
		}
		c.disc(p[4], next.x, next.y, .025)
		last = next
	}
}

func parenting(c *canvas, p palette, r *rand.Rand) {
	for range 4 + r.IntN(3) {
		x, y, s := between(r, .15, wide-.15), between(r, .15, .45), between(r, .08, .13)
		c.curve(p[4], .008, func(t float64) point { return point{x + .03*math.Sin(t*7), y + s + .5*t} })
		c.ellipse(p[2+r.IntN(2)], x, y, s*.85, s, 0)
		c.ellipse(faded(p[1], .6), x-.3*s, y-.35*s, s*.15, s*.25, .5)
	}
	for i := range 4 + r.IntN(4) {
		x, s := .15+float64(i)*.22+between(r, -.03, .03), between(r, .12, .17)
		c.rect(p[2+i%3], x, .95-s, s, s)
		c.rect(faded(p[0], .7), x+.25*s, .95-.75*s, .5*s, .5*s)
	}
}

func sports(c *canvas, p palette, r *rand.Rand) {
	for i := range 6 {
		if i%2 == 0 {
			c.rect(faded(p[4], .18), float64(i)*wide/6, 0, wide/6, 1)
		}
	}
	m := between(r, .6, 1.2)
	c.rect(faded(p[2], .8), m-.006, 0, .012, 1)
	c.ring(faded(p[2], .8), m, .5, .26, .26, 0, .012)
	x, y, s := between(r, .3, 1.5), between(r, .3, .7), between(r, .11, .18)
	for i := range 5 {
		c.disc(faded(p[2], .12), x-.09*float64(i+1), y+.05*float64(i+1), s*(1-.12*float64(i)))
	}
	c.disc(p[2], x, y, s)
	turn := r.Float64()
	c.star(p[3], x, y, s*.42, 5, turn)
	for i := range 5 {
		sn, cs := math.Sincos(turn + float64(i)*2*math.Pi/5)
		c.line(p[3], point{x + .4*s*cs, y + .4*s*sn}, point{x + .97*s*cs, y + .97*s*sn}, .012)
	}
}

func cars(c *canvas, p palette, r *rand.Rand) {
	c.disc(faded(p[4], .7), between(r, .2, 1.6), .4, between(r, .1, .2))
	c.rect(p[3], 0, .74, wide, .26)
	for i := range 6 {
		c.rect(p[4], float64(i)*.36+between(r, 0, .1), .86, .18, .018)
	}
	x, y, l, cabin := between(r, .35, .75), .7, between(r, .65, .85), between(r, .14, .22)
	body := p[2]
	if r.Float64() < .5 {
		body = mix(p[2], p[0], .6)
	}
	c.fill(body, point{x + .14*l, y - .13}, point{x + .3*l, y - .13 - cabin}, point{x + .68*l, y - .13 - cabin}, point{x + .85*l, y - .13})
	c.fill(p[4], point{x + .2*l, y - .13}, point{x + .32*l, y - .1 - cabin}, point{x + .47*l, y - .1 - cabin}, point{x + .47*l, y - .13})
	c.fill(p[4], point{x + .51*l, y - .13}, point{x + .51*l, y - .1 - cabin}, point{x + .66*l, y - .1 - cabin}, point{x + .78*l, y - .13})
	c.fill(body, point{x, y - .1}, point{x + .05, y - .14}, point{x + l - .04, y - .14}, point{x + l, y - .06}, point{x + l, y + .05}, point{x, y + .05})
	for _, wx := range []float64{.22, .78} {
		c.disc(p[3], x+wx*l, y+.05, .095)
		c.disc(p[4], x+wx*l, y+.05, .045)
	}
}

func gardening(c *canvas, p palette, r *rand.Rand) {
	c.rect(p[3], 0, .88, wide, .12)
	for i := range 3 + r.IntN(2) {
		x, s := .25+.42*float64(i)+between(r, -.06, .06), between(r, .8, 1.15)
		c.curve(p[2], .02, func(t float64) point { return point{x + .03*math.Sin(t*4), .68 - .42*s*t} })
		for k := range 4 {
			y, side := .6-.09*s*float64(k), float64(1-2*(k%2))
			c.ellipse(p[2], x+.07*side, y, .075*s, .03*s, -.5*side)
		}
		col := p[4]
		if i%2 == 1 {
			col = p[0]
		}
		for k := range 7 {
			sn, cs := math.Sincos(float64(k) * 2 * math.Pi / 7)
			c.disc(col, x+.05*cs*s+.02, .68-.44*s+.05*sn*s, .035*s)
		}
		c.disc(p[3], x+.02, .68-.44*s, .03*s)
		c.fill(p[3], point{x - .12, .66}, point{x + .12, .66}, point{x + .085, .9}, point{x - .085, .9})
		c.rect(mix(p[3], p[1], .4), x-.135, .64, .27, .05)
	}
}

func music(c *canvas, p palette, r *rand.Rand) {
	phase, n := r.Float64()*6, 5
	for i := range n {
		y, amp := .35+.09*float64(i), between(r, .02, .09)
		c.curve(faded(p[2+i%2], .75), .014, func(t float64) point { return point{t * wide, y + amp*math.Sin(t*7+phase+float64(i)*.5)} })
	}
	for range 3 + r.IntN(3) {
		x, y, s := between(r, .2, wide-.2), between(r, .35, .8), between(r, .06, .09)
		c.ellipse(p[4], x, y, s, s*.75, -.35)
		c.rect(p[4], x+s*.75, y-.3, .016, .3)
		c.fill(p[4], point{x + s*.75, y - .3}, point{x + s*.75 + .12, y - .2}, point{x + s*.75 + .1, y - .14}, point{x + s*.75, y - .22})
	}
}
