package serve

import "upnext"

// asksFrom notes the region that a viewer asks from.
func (v *viewers) asksFrom(key viewerKey, region string) {
	if region == "" || key.viewer.ID == "" {
		return
	}
	v.mu.Lock()
	e, ok := v.held[key]
	v.mu.Unlock()
	if ok {
		e.Value.(*held).region.Store(&region)
	}
}

// mostRegion bounds the name of a region that an event may name.
const mostRegion = 16

// regionOf is where an event happened: where it says so in its context, else where
// its viewer asked from last or says to be, as far as they are in memory: no store is
// asked, for all events come by here. Empty where nobody knows.
func (v *viewers) regionOf(t upnext.Tenant, e upnext.Event) string {
	if region, ok := e.Context["region"].(string); ok && len(region) <= mostRegion {
		return region
	}
	v.mu.Lock()
	el, ok := v.held[viewerKey{t, e.Viewer}]
	v.mu.Unlock()
	if !ok {
		return ""
	}
	if region := el.Value.(*held).region.Load(); region != nil {
		return *region
	}
	return ""
}
