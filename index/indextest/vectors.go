package indextest

import (
	"math"
	"math/rand/v2"
	"sync"
)

// Intrinsic is the dimension of the space that generated vectors lie near: that
// of real embeddings of text, of which 25 to 30 were measured.
const Intrinsic = 28

// Vectors returns n unit vectors of dim components that lie near a random
// linear image of Intrinsic dimensions, as embeddings do. The same seed gives
// the same vectors, and the first of them whatever n is.
func Vectors(seed uint64, n, dim int) [][]float32 {
	return VectorsOf(seed, seed, n, dim)
}

// VectorsOf is Vectors with the space's seed apart from the vectors' own, so
// that queries come from the space of the entries without being among them.
func VectorsOf(space, seed uint64, n, dim int) [][]float32 {
	rng := rand.New(rand.NewPCG(space, 1))
	image := make([]float32, Intrinsic*dim)
	for i := range image {
		image[i] = float32(rng.NormFloat64())
	}
	offset := make([]float32, dim) // embeddings are not centred
	for i := range offset {
		offset[i] = float32(rng.NormFloat64()) * 3
	}
	const part = 1024 // each part has its own generator, for all processors
	vectors := make([][]float32, n)
	var working sync.WaitGroup
	for start := 0; start < n; start += part {
		working.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(start)+2))
			for i := start; i < min(start+part, n); i++ {
				vectors[i] = near(rng, image, offset)
			}
		})
	}
	working.Wait()
	return vectors
}

// near is one vector of the space: its image, an offset, and some noise.
func near(rng *rand.Rand, image, offset []float32) []float32 {
	dim := len(offset)
	v := make([]float32, dim)
	for i := range v {
		v[i] = offset[i] + float32(rng.NormFloat64())
	}
	for row := range Intrinsic {
		x := float32(rng.NormFloat64())
		for i, y := range image[row*dim:][:dim] {
			v[i] += x * y
		}
	}
	return unit(v)
}

// unit makes v of length 1, in place.
func unit(v []float32) []float32 {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		v[0] = 1
		return v
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
	return v
}
