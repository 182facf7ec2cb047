package serve

import "fmt"

// phrases are the reasons in words: English and Chinese. %s is a title, a
// name or the text that was searched.
var phrases = map[string][2]string{
	"because_liked":    {"Because you liked “%s”", "因为你喜欢《%s》"},
	"because_watched":  {"Because you watched “%s”", "因为你看过《%s》"},
	"similar_to":       {"Similar to “%s”", "与《%s》相似"},
	"watched_together": {"Others watched it together with “%s”", "看过《%s》的人也在看"},
	"viewers_like_you": {"Viewers with a taste like yours watched this", "口味相近的观众也在看"},
	"from_followed":    {"New from %s, whom you follow", "来自你关注的 %s"},
	"this_session":     {"More of what you watch right now: “%s”", "接着你刚看的《%s》"},
	"liked_by_friends": {"Liked by people you follow", "你关注的人喜欢"},
	"searched":         {"You searched for “%s”", "你搜索过“%s”"},
	"continue":         {"Continue from %s", "从 %s 继续观看"},
	"next_episode":     {"Next episode after “%s”", "《%s》的下一集"},
	"live_now":         {"Live now", "正在直播"},
	"matches_search":   {"Matches “%s”", "与“%s”相关"},
	"trending":         {"Trending now", "正在热播"},
	"popular":          {"Popular with viewers", "大家都在看"},
	"promoted":         {"Recommended by the editors", "编辑推荐"},
	"fresh":            {"New", "最新上架"},
	"to_discover":      {"New here: be among the first to see it", "新鲜发现，抢先一看"},
	"to_explore":       {"Something to explore", "换个口味看看"},
}

// headings are the names of the rows that suit a viewer.
var headings = map[string][2]string{
	"continue": {"Continue watching", "继续观看"},
	"for_you":  {"For you", "为你推荐"},
	"topic":    {"More of %s", "更多%s"},
	"live":     {"Live now", "正在直播"},
	"followed": {"From those you follow", "来自你关注的人"},
	"trending": {"Trending now", "正在热播"},
	"fresh":    {"New", "最新上架"},
	"popular":  {"Popular", "大家都在看"},
}

// words puts a reason into the language of a locale; English where it is not
// Chinese.
func words(locale, code, what string) string { return inWords(phrases, locale, code, what) }

func inWords(table map[string][2]string, locale, code, what string) string {
	phrase := table[code][0]
	if base(locale) == "zh" {
		phrase = table[code][1]
	}
	if what == "" {
		return phrase
	}
	return fmt.Sprintf(phrase, what)
}
