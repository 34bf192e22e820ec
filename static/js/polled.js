// Parts of a page that are asked for every few seconds ([hx-trigger^=every] with an id): whoever is at a link or a button in one
// still is when it comes anew. htmx sees to that for what has an id.
(() => {
  "use strict";

  let held = null;

  const tagOf = (element) => element.cloneNode().outerHTML;
  const alike = (part, tag, name) => [...part.querySelectorAll(name)].filter((one) => tagOf(one) === tag);

  document.addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig } }) => {
    const focused = document.activeElement;
    held = null;
    if (!requestConfig?.elt.matches('[hx-trigger^="every"]') || focused.id || !target.contains(focused)) return;
    const [tag, name] = [tagOf(focused), focused.localName];
    held = { id: target.id, tag, name, at: alike(target, tag, name).indexOf(focused) };
  });
  document.addEventListener("htmx:afterSwap", () => {
    const part = held && document.getElementById(held.id);
    if (part) {
      const found = alike(part, held.tag, held.name);
      (found[held.at] || found.at(-1))?.focus({ preventScroll: true });
    }
    held = null;
  });
})();
