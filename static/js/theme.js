// Sets the chosen theme before the first paint. Loaded in the head without defer; keep it this small.
(() => {
  "use strict";
  let choice = "auto";
  try {
    choice = localStorage.getItem("theme") || "auto";
  } catch {
    // storage is blocked: follow the system
  }
  document.documentElement.dataset.theme = choice;
})();
