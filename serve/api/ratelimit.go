package api

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"
)

// Rates are how many requests a second each key may make, on average, of one
// server; 0 is no limit. A second's worth, at least one, may come at once.
type Rates struct {
	Secret      float64
	Publishable float64
}

// allowance is what one key may do: a token bucket.
type allowance struct {
	policy  string // its name in the headers
	limiter *rate.Limiter
}

// allowances makes one for each key; nil where it has no limit.
func allowances(keys []Key, rates Rates) []*allowance {
	all := make([]*allowance, len(keys))
	for i, k := range keys {
		name, perSecond := "secret", rates.Secret
		if k.Publishable {
			name, perSecond = "publishable", rates.Publishable
		}
		if perSecond > 0 {
			all[i] = &allowance{name, rate.NewLimiter(rate.Limit(perSecond), int(math.Max(1, math.Ceil(perSecond))))}
		}
	}
	return all
}

// limit takes a request off its key's allowance, and says in the headers of
// draft-ietf-httpapi-ratelimit-headers-10 what is left: q requests in w
// seconds; r now, and all of them after t seconds. Time is the wall's: a clock
// that stands still for repeatable answers would never give anything back.
func (a *api) limit(c *gin.Context) {
	who := callerOf(c.Request.Context())
	if who.key == 0 || a.allowances[who.key-1] == nil {
		return
	}
	key, now := a.allowances[who.key-1], time.Now()
	allowed := key.limiter.AllowN(now, 1)
	burst, perSecond, left := float64(key.limiter.Burst()), float64(key.limiter.Limit()), key.limiter.TokensAt(now)
	c.Header("RateLimit-Policy", fmt.Sprintf("%q;q=%.0f;w=%.0f", key.policy, burst, math.Ceil(burst/perSecond)))
	c.Header("RateLimit", fmt.Sprintf("%q;r=%.0f;t=%.0f", key.policy, math.Max(0, math.Floor(left)), math.Ceil((burst-left)/perSecond)))
	if allowed {
		return
	}
	p := newProblem(http.StatusTooManyRequests, fmt.Sprintf("this key may make %g requests a second, and %.0f at once", perSecond, burst))
	p.later = int(math.Max(1, math.Ceil((1-left)/perSecond)))
	a.fail(c, p)
}
