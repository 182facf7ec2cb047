package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What the steps ask of the page, as JavaScript.
const (
	reasoned = `[...document.querySelectorAll(".card .reason")].filter((r) => r.textContent.trim()).length`
	shownIDs = `[...document.querySelectorAll(".card[data-item]")].map((c) => c.dataset.item)`
	status   = `document.querySelector(".change").textContent`
)

func (b *visitor) open(url string) {
	b.size(1280, 900)
	b.do("open", chromedp.Navigate(url))
	b.wait("the feed has cards with reasons", reasoned+` >= 12`)
}

func (b *visitor) choose(viewer string) {
	before := strings.Join(read[[]string](b, shownIDs), " ")
	b.click(fmt.Sprintf(`[data-viewer=%q]`, viewer))
	b.wait("the viewer is chosen", fmt.Sprintf(`document.querySelector('[data-viewer=%q]').getAttribute("aria-checked") === "true"`, viewer))
	b.wait("another feed is there", fmt.Sprintf(`%s >= 12 && %s.join(" ") !== %q`, reasoned, shownIDs, before))
}

// thumbnails asks for all pictures, also those below the fold.
func (b *visitor) thumbnails() {
	read[int](b, `[...document.querySelectorAll(".card img")].map((i) => i.loading = "eager").length`)
	b.wait("every picture is loaded", `[...document.querySelectorAll(".card[data-item]")].every((c) => c.querySelector(".frame img")?.naturalWidth > 0)`)
}

// like likes the first card; it leaves, others come, and the page says how
// long that took.
func (b *visitor) like() string {
	before := read[[]string](b, shownIDs)
	b.click(".card [data-act=heart]")
	b.wait("the like is told", status+`.includes("Liked")`)
	b.wait("the time is told", `/\d+ ms from event to changed answer/.test(`+status+`)`)
	after := read[[]string](b, shownIDs)
	if strings.Contains(" "+strings.Join(after, " ")+" ", " "+before[0]+" ") {
		b.t.Errorf("%s was liked and is shown again: %v", before[0], after)
	}
	if len(after) < 12 {
		b.t.Errorf("%d cards after a like, want 12 or more", len(after))
	}
	b.wait("a reason names the like", `[...document.querySelectorAll(".card .reason")].some((r) => /liked/.test(r.title + r.textContent))`)
	return before[0]
}

// notInterested says so about the first card's topic; no card of it stays.
func (b *visitor) notInterested() string {
	topic := read[string](b, `document.querySelector(".card[data-item]").dataset.topics.split("|")[0]`)
	having := fmt.Sprintf(`[...document.querySelectorAll(".card[data-item]")].filter((c) => c.dataset.topics.split("|").includes(%q)).length`, topic)
	if n := read[int](b, having); n == 0 {
		b.t.Fatalf("no card of topic %q to begin with", topic)
	}
	b.click(".card [data-act=more]")
	b.click(fmt.Sprintf(`[data-menu=topic][data-topic=%q]`, topic))
	b.wait("the topic is told", status+`.includes("Not interested")`)
	if n := read[int](b, having); n != 0 {
		b.t.Errorf("%d cards of topic %q after not interested, want none", n, topic)
	}
	return topic
}

// watch plays the first card and watches it to its end, or stops a live one.
func (b *visitor) watch() {
	b.click(".card [data-act=play]")
	b.wait("the panel is honest", `document.querySelector(".player .note").textContent.includes("Simulated")`)
	b.wait("the play is told", status+`.includes("Played")`)
	b.click(".player [data-complete], .player [data-stop]")
	b.wait("the panel is closed", `!document.querySelector(".player")`)
	b.wait("the watching is told", `/Watched|Skipped/.test(`+status+`)`)
}

func (b *visitor) find() {
	b.click(`.tabs [data-view=search]`)
	b.wait("the field has the focus", `document.activeElement?.id === "query"`)
	for _, query := range []string{"sea", "猫"} {
		read[string](b, `document.getElementById("query").value = ""`)
		b.do("type", chromedp.SendKeys(chromedp.CSS("#query"), query))
		b.wait("it finds "+query, fmt.Sprintf(`new URLSearchParams(location.hash.split("?")[1]).get("q") === %q && [...document.querySelectorAll(".card .title")].some((e) => e.textContent.toLowerCase().includes(%q))`, query, query))
	}
}

func (b *visitor) moreLikeThis() {
	id := read[string](b, shownIDs+`[0]`)
	b.click(".card [data-act=similar]")
	b.wait("the example is in the tray", `document.querySelectorAll(".tray .like .example").length === 1`)
	b.wait("similar items are there", `document.querySelectorAll(".view-similar .card[data-item]").length >= 12`)
	if shown := read[[]string](b, shownIDs); shown[0] == id {
		b.t.Errorf("%s is the item most like itself", id)
	}
	b.click(".card [data-act=more]")
	b.click(`[data-menu=minus]`)
	b.wait("the counter-example is in the tray", `document.querySelectorAll(".tray .unlike .example").length === 1`)
}

// beliefs looks for the like and takes it back.
func (b *visitor) beliefs(liked, topic string) {
	b.click(`.tabs [data-view=beliefs]`)
	b.wait("interests are there", `document.querySelectorAll(".interests li").length > 0 && document.querySelectorAll("[data-facet=topics] li").length > 0`)
	b.wait("the muted topic is there", fmt.Sprintf(`document.querySelector(".columns").textContent.includes(%q)`, topic))
	like := fmt.Sprintf(`document.querySelector('.events [data-kind=like][data-item=%q]')`, liked)
	b.wait("the like is there", like)
	event := read[string](b, like+`.dataset.event`)
	b.click(fmt.Sprintf(`.events [data-event=%q] .link`, event))
	b.wait("the like is taken back", `document.querySelector(".events") && !`+like)
	b.click(".interest")
	b.wait("what is believed of an item", `document.querySelectorAll("dialog .facet li").length > 0`)
	b.click("dialog .close")
	b.wait("the dialog is closed", `!document.querySelector("dialog")`)
	b.click(`.tabs [data-view=feed]`)
	b.wait("the item may be shown again", reasoned+` >= 12`)
}

// imports starts one of what is there already: all of it is unchanged.
func (b *visitor) imports() {
	b.click(`.tabs [data-view=imports]`)
	b.wait("the demo's own import is there", `document.querySelector(".run[data-state=succeeded]") && document.querySelectorAll(".run tbody tr").length >= 5`)
	b.do("type", chromedp.SendKeys(chromedp.CSS("#source"), "blob:default/demo/"))
	b.click(".start button")
	b.wait("a second import is there", `document.querySelectorAll(".run").length === 2`)
	b.wait("it has ended, and all was unchanged", `document.querySelectorAll(".run[data-state=succeeded]").length === 2 && document.querySelector(".run [data-fact=unchanged] dd").textContent === document.querySelector(".run [data-fact=total] dd").textContent`)
}

// models trains, sees the curves, and goes back to the first of two bundles.
func (b *visitor) models() {
	b.click(`.tabs [data-view=models]`)
	b.click("button.train")
	b.wait("a bundle is in use, and what it reached is told", `document.querySelectorAll("[data-bundle][data-in-use=true]").length === 1 && document.querySelectorAll("[data-training][data-state=succeeded] tbody tr").length >= 2 && document.querySelector(".curve polyline")`)
	b.click("button.train")
	b.wait("there are two", `document.querySelectorAll("[data-bundle]").length === 2 && document.querySelector("[data-bundle]").dataset.inUse === "true"`)
	b.click(`[data-bundle][data-in-use=true] button`)
	b.wait("the first is in use again", `document.querySelectorAll("[data-bundle]")[1].dataset.inUse === "true"`)
}

// measures looks at what became of what was shown: the visitor has liked and played.
func (b *visitor) measures() {
	b.click(`.tabs [data-view=measures]`)
	b.wait("there is a row of the home page, with an interval", `/\d.*–.*\d/.test(document.querySelector('.measures tr[data-value=home]')?.textContent ?? "")`)
	b.wait("each measure has its chart", `document.querySelectorAll("[data-chart]").length === 5`)
	read[string](b, `(() => { const by = document.getElementById("by-by"); by.value = "source"; by.dispatchEvent(new Event("change")); return "" })()`)
	b.wait("there are sources", `document.querySelectorAll(".measures tbody tr").length >= 1 && !document.querySelector('.measures tr[data-value=home]')`)
}

// rows turns the feed into rows and back; no item is in two of them.
func (b *visitor) rows() {
	b.click(`.tabs [data-view=feed]`)
	b.wait("the feed is there", reasoned+` >= 12`)
	b.click("[data-rows]")
	b.wait("there are rows with titles and cards", `document.querySelectorAll(".strip-row").length >= 2 && [...document.querySelectorAll(".strip-row")].every((r) => r.querySelector("h2").textContent && r.querySelector(".card[data-item]"))`)
	if wide := read[float64](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		b.t.Errorf("with rows the page is %v pixels wider than the window", wide)
	}
	if shown := read[[]string](b, shownIDs); len(shown) != len(slices.Compact(slices.Sorted(slices.Values(shown)))) {
		b.t.Errorf("an item is in two rows: %v", shown)
	}
	b.click(".strip-row .card [data-act=heart]")
	b.wait("the like is felt in rows", status+`.includes("Liked")`)
	b.click("[data-rows]")
	b.wait("the feed is one grid again", `!document.querySelector(".strip-row") && `+reasoned+` >= 12`)
}

func (b *visitor) keyboard() {
	b.do("keys", chromedp.KeyEvent("1"))
	b.wait("the feed is there", `document.querySelector(".view-feed") && `+reasoned+` >= 12`)
	read[bool](b, `document.querySelector(".card .title").focus() ?? true`)
	b.do("keys", chromedp.KeyEvent(kb.ArrowRight))
	b.wait("the second card has the focus", `document.activeElement.closest(".card") === document.querySelectorAll(".card")[1]`)
	b.do("keys", chromedp.KeyEvent("s"))
	b.wait("the save is told", status+`.includes("Saved")`)
	b.wait("a card has the focus again", `document.activeElement.closest(".card")`)
	b.do("keys", chromedp.KeyEvent("?"))
	b.wait("the keys are listed", `document.querySelectorAll("dialog[open] kbd").length > 8`)
	b.do("keys", chromedp.KeyEvent(kb.Escape))
	b.wait("and gone", `!document.querySelector("dialog")`)
	b.do("keys", chromedp.KeyEvent("/"))
	b.wait("the search has the focus", `document.activeElement.id === "query"`)
}

// chinese switches the language there and back: reasons come in it, too.
func (b *visitor) chinese() {
	b.click(`.tabs [data-view=feed]`)
	b.wait("the feed is there", reasoned+` >= 12`)
	b.click("#language")
	b.wait("the page is in Chinese", `document.documentElement.lang === "zh-Hans" && document.querySelector(".tabs").textContent.includes("搜索")`)
	b.wait("so are the reasons", reasoned+` >= 12 && [...document.querySelectorAll(".card .reason")].every((r) => /\p{Script=Han}/u.test(r.textContent))`)
	b.click("#language")
	b.wait("the page is in English", `document.documentElement.lang === "en" && document.querySelector(".tabs").textContent.includes("Search")`)
}

func (b *visitor) docs(url string) {
	b.do("open", chromedp.Navigate(url+"/docs"))
	b.wait("the routes are there", `document.querySelectorAll(".route").length >= 20`)
	if text := read[string](b, `document.body.innerText`); strings.Contains(text, "[object") || strings.Contains(text, "undefined") {
		b.t.Error("the reference shows an object or an undefined value as text")
	}
	b.do("type", chromedp.SendKeys(chromedp.CSS("#filter"), "recommend"))
	b.wait("the filter filters", `(n => n > 0 && n < 20)(document.querySelectorAll(".route:not([hidden])").length)`)
}

// phone looks for sideways scrolling on each page, at 360 pixels.
func (b *visitor) phone(url string) {
	b.size(360, 780, chromedp.EmulateMobile)
	for page, ready := range map[string]string{
		"/#/": reasoned + ` >= 12`, "/#/search?q=sea": `document.querySelector(".card[data-item]")`, "/#/beliefs": `document.querySelector(".events li")`,
		"/#/imports": `document.querySelector(".run")`, "/#/models": `document.querySelector("[data-bundle]")`, "/docs": `document.querySelector(".route")`,
	} {
		b.do("leave", chromedp.Navigate("about:blank"))
		b.do("open", chromedp.Navigate(url+page))
		b.wait(page+" is there", ready)
		if wide := read[int](b, `document.documentElement.scrollWidth`); wide > 360 {
			b.t.Errorf("%s is %d pixels wide on a phone of 360", page, wide)
		}
	}
}

// dark follows the system, and a choice wins over it.
func (b *visitor) dark(url string) {
	light := `(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number); return (r + g + b) / 3; })()`
	b.size(1280, 900)
	b.do("open", chromedp.Navigate(url))
	b.prefers("dark")
	b.wait("the page is dark", light+` < 60`)
	b.click("#theme") // from the system's to light
	b.wait("the page is light by choice", light+` > 200`)
	b.click("#theme")
	b.prefers("light")
	b.wait("the page is dark by choice", light+` < 60`)
	b.click("#theme")
	b.wait("the page is as the system has it", light+` > 200`)
}
