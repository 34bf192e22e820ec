// What pages do beyond links and forms. All of it hangs on attributes, so that content brought by htmx works without set-up:
//
//   data-dialog-open="id"  data-dialog-close  dialog[data-dialog-auto]     native dialogs; focus goes back to the opener
//   popovertarget="id" on a .menu                                          placed beside its button, arrow keys move in it
//   data-copy="text"  data-copy-from="id"                                  copies, and says so
//   data-insert="text" data-insert-into="id"                               puts a text where the cursor is
//   data-format-json="id"                                                  tidies the JSON in a text area
//   data-theme-choice="auto|light|dark"                                    kept in this browser
//   data-search                                                            "/" moves the focus there
//   forms that POST and htmx requests                                      their button is busy; sending twice is ignored
(() => {
  "use strict";

  const SPACE = 4;
  const TOAST_SECONDS = 6;
  const UNREACHABLE = "The server did not answer. Check the connection and try again.";
  const openers = new WeakMap();
  const inserted = new WeakMap();

  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const element = event.target instanceof Element ? event.target.closest(selector) : null;
      if (element) act(element, event);
    });

  // --- dialogs ------------------------------------------------------------------------------------------------------

  // A menu closes when a dialog opens: the focus goes back to the button of the menu.
  const lastingOpener = (element) => {
    const menu = element?.closest("[popover]:not(.side)");
    return menu ? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`) : element;
  };

  const openDialog = (dialog, opener) => {
    if (dialog.open) return;
    openers.set(dialog, lastingOpener(opener));
    for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
    dialog.showModal();
  };

  on("click", "[data-dialog-open]", (button) => {
    const dialog = document.getElementById(button.dataset.dialogOpen);
    if (dialog) openDialog(dialog, button);
  });
  on("click", "[data-dialog-close]", (button) => button.closest("dialog")?.close());
  on("pointerdown", "dialog", (dialog, event) => {
    if (event.target !== dialog) return; // the backdrop counts as the dialog itself
    const box = dialog.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });
  document.addEventListener(
    "close",
    ({ target }) => {
      if (!(target instanceof HTMLDialogElement)) return;
      const opener = openers.get(target);
      if (opener?.isConnected) opener.focus();
      if ("dialogAuto" in target.dataset) target.remove();
    },
    true,
  );

  const openWaitingDialogs = () => {
    for (const dialog of document.querySelectorAll("dialog[data-dialog-auto]:not([open])")) {
      openDialog(dialog, document.activeElement);
    }
  };

  // --- menus --------------------------------------------------------------------------------------------------------

  const placeMenu = (menu, button) => {
    const from = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = from.bottom + SPACE;
    const top = below + height <= innerHeight || from.top < height ? below : from.top - SPACE - height;
    const left = from.left + width + SPACE <= innerWidth ? from.left : from.right - width;
    menu.style.top = `${Math.max(SPACE, Math.min(top, innerHeight - height - SPACE))}px`;
    menu.style.left = `${Math.max(SPACE, left)}px`;
  };

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!menu.matches?.(".menu")) return;
      const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
      button?.setAttribute("aria-expanded", String(event.newState === "open"));
      if (button && event.newState === "open") placeMenu(menu, button);
    },
    true,
  );

  document.addEventListener("keydown", (event) => {
    const menu = document.activeElement?.closest(".menu") || document.querySelector(".menu:popover-open");
    if (!menu?.matches(":popover-open")) return;
    const items = [...menu.querySelectorAll("a, button")].filter((item) => !item.disabled);
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? items.length - 1 : at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || !items.length) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  });

  for (const type of ["scroll", "resize"]) {
    addEventListener(
      type,
      ({ target }) => {
        for (const menu of document.querySelectorAll(".menu:popover-open")) {
          if (target !== menu && !menu.contains(target instanceof Node ? target : null)) menu.hidePopover();
        }
      },
      { capture: true, passive: true },
    );
  }

  // --- theme --------------------------------------------------------------------------------------------------------

  const showTheme = () => {
    const choice = document.documentElement.dataset.theme || "auto";
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };

  on("click", "[data-theme-choice]", ({ dataset }) => {
    document.documentElement.dataset.theme = dataset.themeChoice;
    try {
      localStorage.setItem("theme", dataset.themeChoice);
    } catch {
      // storage is blocked: the choice lasts until the page is left
    }
    showTheme();
  });

  // --- toasts -------------------------------------------------------------------------------------------------------

  const dismissLater = (toast) => {
    if (toast.matches(".error, .warning, [data-timed]")) return;
    toast.dataset.timed = "";
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
    setTimeout(leave, TOAST_SECONDS * 1000);
  };

  const dismissToastsLater = () => document.querySelectorAll(".toast").forEach(dismissLater);

  const showError = (sentence) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    const text = document.createElement("p");
    text.textContent = sentence;
    const close = document.createElement("button");
    close.className = "button quiet small";
    close.type = "button";
    close.dataset.toastClose = "";
    close.textContent = "Dismiss";
    toast.append(text, close);
    const toasts = document.getElementById("toasts");
    const same = [...toasts.querySelectorAll(".toast.error p")].some((one) => one.textContent === sentence);
    if (!same) toasts.append(toast);
  };

  on("click", "[data-toast-close]", (button) => button.closest(".toast")?.remove());

  // --- copy, insert, format -----------------------------------------------------------------------------------------

  const copyText = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // plain http: the clipboard of today's browsers is closed
    area.value = text;
    area.className = "visually-hidden";
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("copy refused");
  };

  on("click", "[data-copy], [data-copy-from]", async (button) => {
    const source = document.getElementById(button.dataset.copyFrom || "");
    const label = button.querySelector("span") || button;
    button.dataset.label ||= label.textContent;
    try {
      await copyText(source ? source.textContent : button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select and copy it by hand";
    }
    button.focus();
    clearTimeout(inserted.get(button));
    inserted.set(button, setTimeout(() => (label.textContent = button.dataset.label), 1600));
  });

  on("click", "[data-insert]", ({ dataset }) => {
    const area = document.getElementById(dataset.insertInto);
    if (!area) return;
    area.focus();
    if (document.execCommand("insertText", false, dataset.insert)) return; // keeps undo
    area.setRangeText(dataset.insert, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  on("click", "[data-format-json]", ({ dataset }) => {
    const area = document.getElementById(dataset.formatJson);
    try {
      area.value = JSON.stringify(JSON.parse(area.value), null, 2);
      area.setCustomValidity("");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    } catch (problem) {
      area.setCustomValidity(`This is not JSON: ${problem.message}`);
      area.reportValidity();
      area.addEventListener("input", () => area.setCustomValidity(""), { once: true });
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable], dialog")) return;
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // --- busy: one request at a time ------------------------------------------------------------------------------------

  const buttonOf = (element, event) => {
    if (element.matches("button")) return element;
    return event?.submitter || element.querySelector("button:not([type=button])");
  };
  const setBusy = (element, busy, event) => {
    if (busy) {
      element.dataset.busy = "";
      buttonOf(element, event)?.setAttribute("aria-busy", "true");
      return;
    }
    delete element.dataset.busy;
    for (const button of [element, ...element.querySelectorAll("[aria-busy]")]) button.removeAttribute("aria-busy");
  };

  document.addEventListener(
    "submit",
    (event) => {
      if (!("busy" in event.target.dataset)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target.method === "post") setBusy(event.target, true, event);
  });
  addEventListener("pageshow", () => document.querySelectorAll("[data-busy]").forEach((form) => setBusy(form, false)));

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt.matches("form, button")) setBusy(detail.elt, true, detail.requestConfig.triggeringEvent);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => setBusy(detail.elt, false));
  document.addEventListener("htmx:sendError", () => showError(UNREACHABLE));
  document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
    const reasons = {
      403: "You may not do this, or the page is too old. Reload it and try again.",
      404: "It is not there any more. Reload the page.",
    };
    showError(reasons[xhr.status] || `The server answered with an error (${xhr.status}). Nothing was changed.`);
  });

  // --- every time content arrives -----------------------------------------------------------------------------------

  const settle = () => {
    openWaitingDialogs();
    dismissToastsLater();
    showTheme();
  };
  document.addEventListener("htmx:afterSettle", settle);
  settle();
})();
