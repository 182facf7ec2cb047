// Package builtin embeds text and pictures in the process: no server, no cgo,
// weights in the binary. Text runs the Universal Sentence Encoder, Image
// EfficientNet-Lite0; both in Go with assembly for AVX2 and AVX-512 and a plain
// path elsewhere. weights/NOTICE says where the weights come from.
package builtin
