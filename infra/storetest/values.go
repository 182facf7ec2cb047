package storetest

import (
	"time"

	"pgregory.net/rapid"

	"upnext"
)

// Generators of full values. A value that a store may hand back in another
// form is left out: empty lists and maps are nil, times are UTC in microseconds.

func texts() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "null", `"`, `\u0000`, "<b>&amp;</b>", "'; --", "$1", "a\x00b", "\u2028", "东京的咖啡馆", "👩‍🚀",
	}))
}

func identifiers() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-zA-Z0-9/ :%_'中é-]{1,40}`)
}

func times() *rapid.Generator[time.Time] {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Map(rapid.Int64Range(-1<<52, 1<<53), func(n int64) time.Time { return time.UnixMicro(n).UTC() }),
	)
}

// lists yields nil or a list that is not empty.
func lists[T any](of *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.Map(rapid.SliceOfN(of, 0, 4), func(l []T) []T {
		if len(l) == 0 {
			return nil
		}
		return l
	})
}

func maps[T any](of *rapid.Generator[T]) *rapid.Generator[map[string]T] {
	return rapid.Map(rapid.MapOfN(texts(), of, 0, 4), func(m map[string]T) map[string]T {
		if len(m) == 0 {
			return nil
		}
		return m
	})
}

func numbers() *rapid.Generator[float64] { return rapid.Float64Range(-1e300, 1e300) }

func durations() *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64Range(0, 1<<60), func(n int64) time.Duration { return time.Duration(n) })
}

// attributes yields values of every type that an attribute has.
func attributes() *rapid.Generator[map[string]any] {
	return maps(rapid.OneOf(
		rapid.Map(texts(), func(v string) any { return v }),
		rapid.Map(numbers(), func(v float64) any { return v }),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }),
		rapid.Map(times(), func(v time.Time) any { return v }),
		rapid.Map(rapid.SliceOfN(texts(), 0, 3), func(v []string) any { return v }),
	))
}

func items() *rapid.Generator[upnext.Item] {
	return rapid.Custom(func(t *rapid.T) upnext.Item {
		text := func(label string) string { return texts().Draw(t, label) }
		list := func(label string) []string { return lists(texts()).Draw(t, label) }
		at := func(label string) time.Time { return times().Draw(t, label) }
		return upnext.Item{
			ID: upnext.ItemID(identifiers().Draw(t, "id")), Kind: rapid.SampledFrom(upnext.Kinds).Draw(t, "kind"),
			Title: text("title"), Description: text("description"), Tags: list("tags"), Language: text("language"),
			CreatorID: text("creator"), CreatorName: text("creator name"), SeriesID: text("series"),
			Episode: rapid.IntRange(0, 1<<40).Draw(t, "episode"), Duration: durations().Draw(t, "duration"),
			PublishedAt: at("published"), AvailableFrom: at("from"), AvailableUntil: at("until"), Regions: list("regions"),
			MinAge: rapid.IntRange(0, 120).Draw(t, "age"), Thumbnail: text("thumbnail"),
			Status:     rapid.SampledFrom([]upnext.Status{"", upnext.Active, upnext.Hidden, upnext.Blocked}).Draw(t, "status"),
			RoomState:  rapid.SampledFrom([]string{"", upnext.RoomOn, upnext.RoomOff}).Draw(t, "room"),
			Transcript: text("transcript"), Lyrics: text("lyrics"), Comments: list("comments"), CommentKey: text("comment key"),
			Attributes: attributes().Draw(t, "attributes"),
		}
	})
}

func labels() *rapid.Generator[[]upnext.Label] {
	return rapid.OneOf(rapid.Just([]upnext.Label(nil)), rapid.SliceOfN(rapid.Custom(func(t *rapid.T) upnext.Label {
		return upnext.Label{
			Value: texts().Draw(t, "value"), Confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
			Evidence: texts().Draw(t, "evidence"), Model: texts().Draw(t, "model"),
		}
	}), 0, 3))
}

func understandings() *rapid.Generator[upnext.Understanding] {
	return rapid.Custom(func(t *rapid.T) upnext.Understanding {
		facet := func(name string) []upnext.Label { return labels().Draw(t, name) }
		return upnext.Understanding{
			Topics: facet("topics"), Emotion: facet("emotion"), Style: facet("style"),
			Language: facet("language"), Safety: facet("safety"), At: times().Draw(t, "at"),
		}
	})
}

func viewerIDs() *rapid.Generator[upnext.ViewerID] {
	return rapid.Custom(func(t *rapid.T) upnext.ViewerID {
		return upnext.ViewerID{ID: identifiers().Draw(t, "viewer"), Anonymous: rapid.Bool().Draw(t, "anonymous")}
	})
}

// contexts yields what a JSON object can hold.
func contexts() *rapid.Generator[map[string]any] {
	return maps(rapid.OneOf(
		rapid.Map(texts(), func(v string) any { return v }),
		rapid.Map(numbers(), func(v float64) any { return v }),
		rapid.Just[any](nil), rapid.Just[any](true),
		rapid.Map(texts(), func(v string) any { return map[string]any{"in": []any{v, 1.5}} }),
	))
}

func events() *rapid.Generator[upnext.Event] {
	return rapid.Custom(func(t *rapid.T) upnext.Event {
		text := func(label string) string { return texts().Draw(t, label) }
		e := upnext.Event{
			ID: upnext.EventID(identifiers().Draw(t, "id")), Kind: rapid.SampledFrom(upnext.EventKinds).Draw(t, "kind"),
			At: times().Draw(t, "at"), Viewer: viewerIDs().Draw(t, "viewer"), Session: text("session"),
			Item: upnext.ItemID(text("item")), Creator: text("creator"), Target: text("target"), Topic: text("topic"),
			Query: text("query"), Text: text("text"), Value: numbers().Draw(t, "value"), Amount: numbers().Draw(t, "amount"),
			Currency: text("currency"), Scope: upnext.Scope(text("scope")), Token: text("token"), Surface: text("surface"),
			Position: rapid.Int().Draw(t, "position"), Context: contexts().Draw(t, "context"),
			ReceivedAt: times().Draw(t, "received"),
		}
		if rapid.Bool().Draw(t, "watched") {
			e.Watch = &upnext.Watch{
				Watched: durations().Draw(t, "w"), Position: durations().Draw(t, "p"), Duration: durations().Draw(t, "d"),
			}
		}
		return e
	})
}

func placed() *rapid.Generator[upnext.Placed] {
	return rapid.Custom(func(t *rapid.T) upnext.Placed {
		return upnext.Placed{
			Item: upnext.ItemID(texts().Draw(t, "item")), Rank: rapid.IntRange(0, 200).Draw(t, "rank"),
			Score: numbers().Draw(t, "score"), Sources: lists(texts()).Draw(t, "sources"),
			Features: maps(numbers()).Draw(t, "features"), Propensity: rapid.Float64Range(0, 1).Draw(t, "propensity"),
			Reasons: lists(rapid.Custom(func(t *rapid.T) upnext.Reason {
				return upnext.Reason{
					Code: texts().Draw(t, "code"), Text: texts().Draw(t, "text"),
					Item: upnext.ItemID(texts().Draw(t, "item")), Weight: numbers().Draw(t, "weight"),
				}
			})).Draw(t, "reasons"),
			Blur: texts().Draw(t, "blur"), Token: texts().Draw(t, "token"), Ranks: maps(rapid.IntRange(1, 900)).Draw(t, "ranks"),
			Origins: lists(rapid.Custom(func(t *rapid.T) upnext.Origin {
				return upnext.Origin{
					Source: texts().Draw(t, "source"), Rank: rapid.IntRange(1, 900).Draw(t, "rank"), Score: numbers().Draw(t, "score"),
					Share: rapid.Float64Range(0, 1).Draw(t, "share"), From: upnext.ItemID(texts().Draw(t, "from")),
				}
			})).Draw(t, "origins"),
			Decisions: lists(rapid.Custom(func(t *rapid.T) upnext.Decision {
				return upnext.Decision{Rule: texts().Draw(t, "rule"), Action: texts().Draw(t, "action"), Detail: texts().Draw(t, "detail")}
			})).Draw(t, "decisions"),
		}
	})
}

func traces() *rapid.Generator[upnext.Trace] {
	return rapid.Custom(func(t *rapid.T) upnext.Trace {
		return upnext.Trace{
			Candidates: lists(placed()).Draw(t, "candidates"), Omitted: rapid.IntRange(0, 900).Draw(t, "omitted"),
			Sources: lists(rapid.Custom(func(t *rapid.T) upnext.Brought {
				return upnext.Brought{
					Source: texts().Draw(t, "source"), Asked: rapid.IntRange(0, 900).Draw(t, "asked"), Found: rapid.IntRange(0, 900).Draw(t, "found"),
					Turned: maps(rapid.IntRange(1, 900)).Draw(t, "turned"), Took: durations().Draw(t, "took"), Error: texts().Draw(t, "error"),
				}
			})).Draw(t, "sources"),
		}
	})
}

func slates() *rapid.Generator[upnext.Slate] {
	return rapid.Custom(func(t *rapid.T) upnext.Slate {
		return upnext.Slate{
			ID: upnext.SlateID(identifiers().Draw(t, "id")), Viewer: viewerIDs().Draw(t, "viewer"),
			Session: texts().Draw(t, "session"), Scenario: texts().Draw(t, "scenario"), Variant: texts().Draw(t, "variant"),
			At: times().Draw(t, "at"), Items: lists(placed()).Draw(t, "items"), Unshown: lists(placed()).Draw(t, "unshown"),
			Shortfall: rapid.IntRange(0, 200).Draw(t, "shortfall"),
			Degraded: lists(rapid.Custom(func(t *rapid.T) upnext.Degraded {
				return upnext.Degraded{Stage: texts().Draw(t, "stage"), Reason: texts().Draw(t, "reason")}
			})).Draw(t, "degraded"),
			Versions: maps(texts()).Draw(t, "versions"), Timings: maps(durations()).Draw(t, "timings"),
			Request: rapid.SampledFrom([][]byte{nil, []byte(`{"count":7,"filter":"title == 'ж'"}`)}).Draw(t, "request"),
			Variety: maps(numbers()).Draw(t, "variety"),
			Trace:   rapid.Ptr(traces(), true).Draw(t, "trace"),
		}
	})
}
