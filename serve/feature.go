package serve

// The features that a score is made of. Each is 0 where it says nothing.
const (
	fFusion     = iota // reciprocal rank fusion over the sources, the best 1
	fTaste             // greatest cosine to an interest, by the interest's weight
	fTogether          // share of the best in what is watched together
	fSimilar           // the similar source's score
	fWords             // share of the query's information in the words
	fMeaning           // cosine to the query
	fLearned           // what the trained models say, 0 the mean item and 1 their best
	fResume            // 1 for what was begun last or is the next episode of what was watched last, 1/2 for the one before …
	fFriends           // share of the best in what friends like
	fSearched          // 1 for the best answer to the viewer's last search, fading
	fLive              // share of the best of what is live now
	fTopic             // cosine between the item's topics and the viewer's, -1 to 1
	fCreator           // affinity to the creator, -1 to 1
	fFollowed          // 1 where the creator is followed
	fLanguage          // share of the language in what the viewer likes, or fit to the locale
	fPopularity        // 0 to 1, logarithmic
	fFreshness         // 1 when published, half of it after two weeks
	fDisliked          // greatest cosine to what the viewer disliked
	features
)

// featureNames are the names in settings, slates and traces.
var featureNames = [features]string{
	"fusion", "taste", "together", "similar", "words", "meaning", "learned", "resume", "friends", "searched", "live", "topic", "creator", "followed", "language",
	"popularity", "freshness", "disliked",
}

// featureMap names what is not 0.
func featureMap(f [features]float64) map[string]float64 {
	m := make(map[string]float64, features)
	for i, v := range f {
		if v != 0 {
			m[featureNames[i]] = v
		}
	}
	return m
}

// weightsOf turns named weights into a row in the order of the features.
func weightsOf(named map[string]float64) (row [features]float64) {
	for i, name := range featureNames {
		row[i] = named[name]
	}
	return row
}
