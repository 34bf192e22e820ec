// The form of an automation, beyond what htmx does:
//
//   button[data-go-to="id of the field" data-line data-column]   puts the cursor to a place in a text, both from 1
//   the address of the first step                                leads to what was typed there, once there is a second one
//   #wizard                                                      where a step comes, nothing the one before asked for does
(() => {
  "use strict";

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-go-to]") : null;
    const field = button && document.getElementById(button.dataset.goTo);
    if (!field) return;
    const before = field.value.split("\n").slice(0, Number(button.dataset.line) - 1);
    const start = before.reduce((sum, line) => sum + line.length + 1, 0) + Number(button.dataset.column) - 1;
    field.focus();
    // What is odd begins there: the word, or what stands between ${ and }.
    const [odd] = field.value.slice(start).match(/^\$\{[^}\n]*\}?|^\w+|^./) || [""];
    field.setSelectionRange(start, start + odd.length);
  });

  // What was asked for while a step was filled in has no place in the next one.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id !== "wizard" || !detail.shouldSwap) return;
    for (const asking of detail.target.querySelectorAll("[hx-post]")) {
      if (asking !== detail.requestConfig.elt) htmx.trigger(asking, "htmx:abort");
    }
  });

  // A form gets its name, by which the server keeps it, with its second page: the way back leads to the first by that.
  document.addEventListener("htmx:beforeHistoryUpdate", ({ detail }) => {
    const next = new URL(detail.history.path, location.href);
    if (!next.searchParams.has("draft") || new URLSearchParams(location.search).has("draft")) return;
    next.searchParams.set("step", "1");
    history.replaceState(history.state, "", next);
  });
})();
