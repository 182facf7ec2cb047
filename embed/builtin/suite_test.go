package builtin

import (
	"testing"

	"upnext/embed"
	"upnext/embed/embedtest"
)

func TestTextSuite(t *testing.T) {
	embedtest.Test(t, embed.Text, func(t *testing.T) embed.Embedder { return text(t) })
}

func TestImageSuite(t *testing.T) {
	embedtest.Test(t, embed.Image, func(t *testing.T) embed.Embedder { return openImage(t) })
}

func BenchmarkTextSuite(b *testing.B) {
	embedtest.Bench(b, embed.Text, func(b *testing.B) embed.Embedder { return text(b) })
}

func BenchmarkImageSuite(b *testing.B) {
	embedtest.Bench(b, embed.Image, func(b *testing.B) embed.Embedder { return openImage(b) })
}
