// A graph of lineage that is wider than its card begins with what the page is about in its middle.
document.addEventListener("htmx:load", ({ target }) => {
  const frame = target.querySelector?.(".lineage") || target.closest?.(".lineage");
  const here = frame?.querySelector("[aria-current]");
  if (!here) return;
  const [box, around] = [here.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollLeft += box.left + box.width / 2 - around.left - around.width / 2;
});
