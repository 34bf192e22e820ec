// The runs table: what is asked of values ([data-once]) becomes a label above the table, and leaves its field.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id !== "runs" || detail.elt.querySelector("[role=alert]")) return;
  for (const field of document.querySelectorAll("#run-filters [data-once]")) field.value = "";
});
