package rabitq

// scored is a slot and how near it seems.
type scored struct {
	score float32
	slot  uint32
}

// top gathers the k best of a stream, and with them all that lie within margin
// of the k-th. It fills a buffer and cuts it when full, which costs less for
// each than a heap; threshold rises with every cut.
type top struct {
	k         int
	margin    float32
	threshold float32 // what is below is not among them
	buffer    []scored
	limit     int // of the buffer, before the next cut
}

func (t *top) reset(k int, margin float32) {
	t.k, t.margin, t.threshold = k, margin, lowest
	t.buffer, t.limit = t.buffer[:0], 2*k+64
}

// lowest is below every score.
const lowest = -3.4e38

// push adds a slot whose score is at least the threshold.
func (t *top) push(score float32, slot uint32) {
	t.buffer = append(t.buffer, scored{score, slot})
	if len(t.buffer) >= t.limit {
		t.cut()
		t.limit = max(t.limit, 2*len(t.buffer))
	}
}

// cut drops from the buffer what cannot be among the best.
func (t *top) cut() {
	if len(t.buffer) <= t.k {
		return
	}
	partition(t.buffer, t.k)
	kth := t.buffer[0].score
	for _, s := range t.buffer[:t.k] {
		kth = min(kth, s.score)
	}
	t.threshold = kth - t.margin
	kept := t.buffer[:t.k]
	if t.margin > 0 {
		for _, s := range t.buffer[t.k:] {
			if s.score >= t.threshold {
				kept = append(kept, s)
			}
		}
	}
	t.buffer = kept
}

// partition puts the k best first, in no order.
func partition(a []scored, k int) {
	low, high := 0, len(a)-1
	for low < high {
		// The middle of three guards against sorted input, which ids give.
		x, y, z := a[low].score, a[(low+high)/2].score, a[high].score
		pivot := max(min(x, y), min(max(x, y), z))
		i, j := low, high
		for i <= j {
			for a[i].score > pivot {
				i++
			}
			for a[j].score < pivot {
				j--
			}
			if i <= j {
				a[i], a[j] = a[j], a[i]
				i++
				j--
			}
		}
		switch {
		case k-1 <= j:
			high = j
		case k-1 >= i:
			low = i
		default:
			return
		}
	}
}
