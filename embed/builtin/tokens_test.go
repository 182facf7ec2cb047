package builtin

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// pieces cuts a text and gives the pieces as text, without begin and end.
func pieces(t testing.TB, tok *tokenizer, s string) []string {
	t.Helper()
	ids := tok.cut(nil, s)
	if len(ids) == 0 {
		return nil
	}
	if ids[0] != tok.bos {
		t.Fatalf("%q: begins with %d, want %d", s, ids[0], tok.bos)
	}
	var out []string
	for _, id := range ids[1:] {
		if id < 0 || int(id) >= tok.n {
			t.Fatalf("%q: id %d of %d", s, id, tok.n)
		}
		if id != tok.eos {
			out = append(out, tok.piece(uint32(id)))
		}
	}
	return out
}

func TestCut(t *testing.T) {
	tok := text(t).net.tokens
	for in, want := range map[string]string{
		"video games":        "▁video ▁games",
		"  video \t  games ": "▁video ▁games ▁",
		"ｖｉｄｅｏ　ｇａｍｅｓ":        "▁video ▁games", // full width, normalised
		"红烧肉的家常做法":           "▁ 红 烧 肉 的家 常 做 法",
		"𓀀":                  "▁ <unk>",
		"":                   "",
		"   ":                "",
		"\u3000":             "",
		"\x00\x01":           "",
	} {
		if got := strings.Join(pieces(t, tok, in), " "); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// The best cut, found by trying all of them from the pieces' list itself.
func TestCutIsTheBest(t *testing.T) {
	tok := text(t).net.tokens
	ids := map[string]int32{}
	for id := range tok.n {
		if p := tok.piece(uint32(id)); ids[p] == 0 {
			ids[p] = int32(id)
		}
	}
	var score func(s string) float32
	memo := map[string]float32{}
	score = func(s string) float32 {
		if s == "" {
			return 0
		}
		if v, ok := memo[s]; ok {
			return v
		}
		_, first := utf8.DecodeRuneInString(s)
		best := tok.unknown + score(s[first:])
		for end := 1; end <= len(s); end++ {
			if id, ok := ids[s[:end]]; ok && id != tok.unk {
				best = max(best, f32(tok.scores, int(id))+score(s[end:]))
			}
		}
		memo[s] = best
		return best
	}
	for _, ti := range readTitles(t) {
		var l lattice
		if !tok.normalize(&l, ti.text) {
			t.Fatalf("%q: nothing to read", ti.text)
		}
		var got float32
		for _, id := range tok.cut(nil, ti.text)[1:] {
			if id == tok.unk {
				got += tok.unknown
			} else if id != tok.eos {
				got += f32(tok.scores, int(id))
			}
		}
		if want := score(string(l.text)); got < want-.001 || got > want+.001 {
			t.Errorf("%q: the cut scores %v, the best one %v", ti.text, got, want)
		}
	}
}

func TestCutIsBounded(t *testing.T) {
	tok := text(t).net.tokens
	for _, s := range []string{strings.Repeat("word ", 1_000_000), strings.Repeat("长", 100_000), strings.Repeat("𓀀", 10_000)} {
		ids := tok.cut([]int32{7}, s)
		if len(ids) != 1+maxPieces || ids[0] != 7 {
			t.Errorf("%.10q…: got %d pieces after %d, want %d after 7", s, len(ids)-1, ids[0], maxPieces)
		}
	}
}

// FuzzCut: any text is cut into pieces that exist, at most 512, the same again.
func FuzzCut(f *testing.F) {
	for _, s := range []string{"hello", "红烧肉 ok", "\xff\xfe", " ▁▁ x", "e\u0301\u200b🎮", "①㍿ﬁ"} {
		f.Add(s)
	}
	tok := text(f).net.tokens
	f.Fuzz(func(t *testing.T, s string) {
		got := tok.cut(nil, s)
		pieces(t, tok, s)
		if len(got) > maxPieces {
			t.Fatalf("got %d pieces, want at most %d", len(got), maxPieces)
		}
		if again := tok.cut(nil, s); !slices.Equal(got, again) {
			t.Fatalf("got %v, then %v", got, again)
		}
	})
}
