// Asks before what was typed is lost: form[data-unsaved="the question"], on leaving the page and on closing a dialog. A form
// counts as soon as one of its fields is not what it was when it came, or from the start with `data-unsaved-begun`, unless one
// goes back to an earlier step of it; what is being sent does not. Browsers ask a question of their own when a page is left.
(() => {
  "use strict";

  const begun = new WeakMap(); // form → what its fields said when it came
  let isLeaving = false;

  const stateOf = (form) =>
    JSON.stringify(
      [...form.elements]
        .filter(({ name, type }) => name && !["hidden", "submit", "button"].includes(type))
        .map((field) => [field.name, field.type === "file" ? field.files.length : field.value, field.checked]),
    );
  const isTypedIn = (form) => begun.has(form) && begun.get(form) !== stateOf(form);
  const isChanged = (form) => "unsavedBegun" in form.dataset || isTypedIn(form);
  const find = (place, test) =>
    [...place.querySelectorAll("form[data-unsaved]")].find((form) => !("busy" in form.dataset) && test(form));

  const note = () => {
    for (const form of document.querySelectorAll("form[data-unsaved]")) if (!begun.has(form)) begun.set(form, stateOf(form));
  };

  addEventListener("beforeunload", (event) => {
    if (!isLeaving && find(document, isChanged)) event.preventDefault();
  });

  // A form that is sent takes its page along; an answer of the server may lead elsewhere.
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && "unsaved" in event.target.dataset) isLeaving = true;
  });
  document.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr } }) => {
    if (xhr.getResponseHeader("HX-Redirect") || xhr.getResponseHeader("HX-Refresh")) isLeaving = true;
  });
  // Steps have addresses, and what was typed at the others is kept.
  addEventListener("popstate", () => (isLeaving = !find(document, isTypedIn)), true);
  addEventListener("pageshow", () => (isLeaving = false));

  const ask = (event) => {
    const form = find(event.target, isChanged);
    if (form && !confirm(form.dataset.unsaved)) event.preventDefault();
  };
  document.addEventListener("dialog:leaving", ask);
  document.addEventListener("cancel", (event) => event.target instanceof HTMLDialogElement && ask(event), true);

  document.addEventListener("htmx:afterSettle", note);
  note();
})();
