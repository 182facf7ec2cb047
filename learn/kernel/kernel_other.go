//go:build !amd64

package kernel

// Other machines run the plain loops; best keeps the others from being called.
func best() Level { return Plain }

const absent = "kernel: no assembly here"

func tile6x16(*tile)       { panic(absent) }
func tile6x16masked(*tile) { panic(absent) }
func tile4x16masked(*tile) { panic(absent) }
func tile2x16masked(*tile) { panic(absent) }
func tile1x16masked(*tile) { panic(absent) }
func tile1x64(*tile)       { panic(absent) }
func tile12x32(*tile)      { panic(absent) }
func tile8x32(*tile)       { panic(absent) }
func tile4x32(*tile)       { panic(absent) }
func tile2x32(*tile)       { panic(absent) }
func tile1x32(*tile)       { panic(absent) }

func expRowAVX512(*float32, int, float32) float32            { panic(absent) }
func expRowAVX2(*float32, int, float32) float32              { panic(absent) }
func maxRowAVX512(*float32, int) float32                     { panic(absent) }
func maxRowAVX2(*float32, int) float32                       { panic(absent) }
func dotAVX2(*float32, *float32, int) float32                { panic(absent) }
func dotBytesAVX2(*float32, *int8, int) float32              { panic(absent) }
func axpyAVX2(*float32, float32, *float32, int)              { panic(absent) }
func axpyPlusAVX2(*float32, float32, *float32, float32, int) { panic(absent) }
func momentsAVX2(*float32, int, *float64)                    { panic(absent) }
