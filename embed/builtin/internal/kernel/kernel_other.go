//go:build !amd64

package kernel

// Other machines run the plain loops; best keeps the others from being called.
func best() Level { return Plain }

func quantizeFast(*float32, *int8, *float32, *int32, int)      { panic("kernel: no assembly here") }
func mulAVX512(*q8tile)                                        { panic("kernel: no assembly here") }
func mulAVX2(*q8tile)                                          { panic("kernel: no assembly here") }
func floatAVX2(*floatTile)                                     { panic("kernel: no assembly here") }
func depthAVX2(*depthTile)                                     { panic("kernel: no assembly here") }
func normalizeAVX2(*float32, *float32, *float32, int, float32) { panic("kernel: no assembly here") }
