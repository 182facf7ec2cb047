package builtin

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"strings"
	"testing"
)

// The model IDs stand for these very bytes, and the notice names them.
func TestNoticeNamesTheWeights(t *testing.T) {
	notice, err := os.ReadFile("weights/NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	for name, weights := range map[string]string{"use-enzh-q4.bin": sentenceWeights, "effnet-lite0-f16.bin": looksWeights} {
		sum := sha256.Sum256([]byte(weights))
		if !strings.Contains(string(notice), name) || !strings.Contains(string(notice), hex.EncodeToString(sum[:])) {
			t.Errorf("weights/NOTICE does not name %s with sha256 %x", name, sum)
		}
	}
}

// A file cut short, too long or with a wrong byte in its structure is an error.
func TestBrokenWeights(t *testing.T) {
	sentence := func(s string) error { _, err := readSentence(s); return err }
	looks := func(s string) error { _, err := readLooks(s); return err }
	for _, file := range []struct {
		name  string
		whole string
		read  func(string) error
		wrong []int // bytes of the structure
	}{
		{"use", sentenceWeights, sentence, []int{0, 4, 7, 11, 24, 28, 32 + 4*58819}},
		{"effnet", looksWeights, looks, []int{0, 4, 8, 12, 16, 20, 24}},
	} {
		if err := file.read(file.whole); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 3, 4, 20, 100, 5000, len(file.whole) / 3, len(file.whole) / 10 * 9, len(file.whole) - 1} {
			if err := file.read(file.whole[:n]); err == nil {
				t.Errorf("%s: the first %d bytes: got no error", file.name, n)
			}
		}
		if err := file.read(file.whole + "x"); err == nil {
			t.Errorf("%s: a byte too many: got no error", file.name)
		}
		for _, at := range file.wrong {
			if err := file.read(file.whole[:at] + string([]byte{file.whole[at] ^ 0x81}) + file.whole[at+1:]); err == nil {
				t.Errorf("%s: a wrong byte %d: got no error", file.name, at)
			}
		}
	}
}

func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 1.0 / 16384, 0x0001: 1.0 / (1 << 24),
		0x8001: -1.0 / (1 << 24), 0x3555: 0.333251953125, 0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)),
	} {
		if got := half(h); got != want {
			t.Errorf("half(%#x): got %v, want %v", h, got, want)
		}
	}
	if got := half(0x7e00); got == got {
		t.Errorf("half(0x7e00): got %v, want not a number", got)
	}
}
