// Runs before the first paint, so that a chosen theme does not flash.
(() => {
  try {
    const theme = localStorage.getItem("upnext.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    const language = localStorage.getItem("upnext.language") || (navigator.language.startsWith("zh") ? "zh" : "en");
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  } catch {
    // Storage may be forbidden; the system's theme then holds.
  }
})();
