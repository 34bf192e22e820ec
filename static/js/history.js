// Choosing rows of a history: all of them at once, how many there are, and a list that does not change under one's hand.
(() => {
  "use strict";

  const boxes = () => [...document.querySelectorAll('#executions input[name="pick"]')];

  const count = () => {
    const all = boxes();
    const chosen = all.filter((box) => box.checked).length;
    const every = document.querySelector("[data-pick-all]");
    if (every) {
      every.closest("label").hidden = false;
      every.checked = chosen > 0 && chosen === all.length;
      every.indeterminate = chosen > 0 && chosen < all.length;
    }
    const shown = document.querySelector("[data-pick-count]");
    if (shown) shown.textContent = chosen || "";
  };

  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof Element)) return;
    if (target.matches("[data-pick-all]")) {
      for (const box of boxes()) box.checked = target.checked;
    }
    if (target.matches('[data-pick-all], input[name="pick"]')) count();
  });

  // What waits is looked at every few seconds; not while somebody chooses.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "executions" && boxes().some((box) => box.checked)) event.preventDefault();
  });

  document.addEventListener("htmx:afterSettle", count);
  document.addEventListener("live:changed", count);
  count();
})();
