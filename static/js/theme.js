/* Before the first paint: the theme the user chose on this browser, so that no page flashes in the other one. */
(function () {
  "use strict";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    /* Storage is switched off in this browser: the system's theme it is. */
  }
})();
