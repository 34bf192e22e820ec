// What pages do beyond links and forms. All of it hangs on attributes, so that content brought by htmx works without set-up:
//
//   data-dialog-open="id"  data-dialog-close  dialog[data-dialog-auto]     native dialogs; focus goes back to the opener
//   popovertarget="id" on a .menu                                          placed beside its button, arrow keys move in it
//   data-copy="text"  data-copy-from="id"                                  copies, and says so
//   data-insert="text" data-insert-into="id" [data-insert-whole]           puts a text where the cursor is, or in place of all
//   data-format-json="id"                                                  tidies the JSON in a text area
//   data-theme-choice="auto|light|dark"                                    kept in this browser
//   data-search                                                            "/" moves the focus there, or opens the page of the
//                                                                          search; arrow keys move to what it found
//   forms that POST and htmx requests                                      their button is busy; sending twice is ignored
//   an answer of 401                                                       says that one is signed out, and keeps the page
(() => {
  "use strict";

  const SPACE = 4;
  const TOAST_SECONDS = 6;
  const FIELDS = "input:not([type=hidden], [hidden]), select, textarea, button, a[href]";
  const DOUBLE_CLICK = 500; // ms
  const openers = new WeakMap();
  const openedAt = new WeakMap();
  let lastOpener = null;
  const inserted = new WeakMap();

  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const element = event.target instanceof Element ? event.target.closest(selector) : null;
      if (element) act(element, event);
    });

  // --- tabs: the open one is in sight, also where not all are ----------------------------------------------------------

  const openTab = document.querySelector(".tabs > [aria-current]");
  if (openTab) {
    const [tab, all] = [openTab, openTab.parentElement].map((one) => one.getBoundingClientRect());
    openTab.parentElement.scrollLeft += tab.left + tab.width / 2 - all.left - all.width / 2;
  }

  // --- dialogs ------------------------------------------------------------------------------------------------------

  // A menu closes when a dialog opens: the focus goes back to the button of the menu.
  const lastingOpener = (element) => {
    const menu = element?.closest("[popover]:not(.side)");
    return menu ? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`) : element;
  };

  // What a dialog did may have renewed the part of the page where its button was.
  const successorOf = (opener) => {
    const address = opener?.getAttribute("hx-get");
    return address && document.querySelector(`[hx-get="${CSS.escape(address)}"]`);
  };

  const openDialog = (dialog, opener) => {
    if (dialog.open) return;
    // One that comes back with mistakes in it takes the place of the one that was open, and its opener.
    const from = lastingOpener(opener);
    if (from?.isConnected && from !== document.body) lastOpener = from;
    openers.set(dialog, lastOpener);
    openedAt.set(dialog, performance.now());
    for (const menu of document.querySelectorAll(".menu:popover-open")) menu.hidePopover();
    dialog.showModal();
    const wrong = dialog.querySelector('[aria-invalid="true"]'); // what has to be put right
    if (wrong) wrong.focus();
    // A body that scrolls can have the focus, too, and comes first.
    else if (document.activeElement?.matches(".dialog-body")) dialog.querySelector(FIELDS)?.focus({ preventScroll: true });
  };

  on("click", "[data-dialog-open]", (button) => {
    const dialog = document.getElementById(button.dataset.dialogOpen);
    if (dialog) openDialog(dialog, button);
  });
  // Whoever listens may keep it open, for what was typed in it.
  const closeDialog = (dialog) => {
    if (dialog.dispatchEvent(new CustomEvent("dialog:leaving", { bubbles: true, cancelable: true }))) dialog.close();
  };

  on("click", "[data-dialog-close]", (button) => closeDialog(button.closest("dialog")));
  const isBeside = (dialog, event) => {
    if (event.target !== dialog) return false; // the backdrop counts as the dialog itself
    const box = dialog.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  };
  on("pointerdown", "dialog", (dialog, event) => {
    // The second click of somebody who clicks twice is meant for what the first one was.
    const isSecond = performance.now() - openedAt.get(dialog) < DOUBLE_CLICK;
    if (isBeside(dialog, event) && !isSecond) closeDialog(dialog);
  });
  on("mousedown", "dialog", (dialog, event) => {
    if (isBeside(dialog, event)) event.preventDefault(); // a dialog that stays keeps the focus where it was
  });
  document.addEventListener(
    "close",
    ({ target }) => {
      if (!(target instanceof HTMLDialogElement)) return;
      const opener = openers.get(target);
      (opener?.isConnected ? opener : successorOf(opener))?.focus();
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

  // A menu goes along with its button, and goes when that does. It is not closed by a scroll: one that brought the button
  // into view may be told of only after the click.
  const followButtons = ({ target }) => {
    for (const menu of document.querySelectorAll(".menu:popover-open")) {
      if (target === menu || menu.contains(target instanceof Node ? target : null)) continue;
      const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
      const box = button?.getBoundingClientRect();
      if (box && box.bottom > 0 && box.top < innerHeight) placeMenu(menu, button);
      else menu.hidePopover();
    }
  };
  for (const type of ["scroll", "resize"]) addEventListener(type, followButtons, { capture: true, passive: true });

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

  // What lies below a dialog can be neither read aloud nor clicked.
  const toastsInReach = () => {
    const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
    if (!dialog) return document.getElementById("toasts");
    const found = dialog.querySelector(":scope > .toasts");
    if (found) return found;
    const made = document.createElement("div");
    made.className = "toasts";
    made.role = "status";
    dialog.append(made);
    return made;
  };

  const showError = (sentence, link) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    const text = document.createElement("p");
    text.textContent = sentence;
    if (link) text.append(" ", link);
    const close = document.createElement("button");
    close.className = "button quiet small";
    close.type = "button";
    close.dataset.toastClose = "";
    close.textContent = say("dismiss");
    toast.append(text, close);
    const toasts = toastsInReach();
    const same = [...toasts.querySelectorAll(".toast.error p")].some((one) => one.textContent === text.textContent);
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
      label.textContent = say("copied");
    } catch {
      label.textContent = say("not_copied");
    }
    button.focus();
    clearTimeout(inserted.get(button));
    inserted.set(button, setTimeout(() => (label.textContent = button.dataset.label), 1600));
  });

  on("click", "[data-insert]", ({ dataset }) => {
    const area = document.getElementById(dataset.insertInto);
    if (!area) return;
    area.focus();
    if ("insertWhole" in dataset) area.select();
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
      area.setCustomValidity(say("not_json", { problem: problem.message }));
      area.reportValidity();
      area.addEventListener("input", () => area.setCustomValidity(""), { once: true });
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable], dialog")) return;
    // Where the top bar has no room for the field, a link leads to the page of the search.
    const link = document.querySelector(".top-search-link");
    if (!link) return;
    const own = `main form[action="${CSS.escape(link.getAttribute("href"))}"] input[type="search"]`;
    const search = [...document.querySelectorAll(`[data-search], ${own}`)].find((field) => field.checkVisibility());
    event.preventDefault();
    if (!search) return link.click();
    search.focus();
    search.select();
  });

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.(".top-search");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!form) return;
    const input = form.querySelector("[data-search]");
    if (event.key === "Escape" && event.target !== input) input.focus();
    if (!step) return;
    const stops = [input, ...form.querySelectorAll(".top-results a")];
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
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

  // Asked before htmx lets a request wait for the one that is on its way.
  document.addEventListener("htmx:confirm", (event) => {
    if (event.detail.elt.matches("button[data-busy]")) event.preventDefault();
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt.matches("form, button")) setBusy(detail.elt, true, detail.requestConfig.triggeringEvent);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => setBusy(detail.elt, false));
  document.addEventListener("htmx:sendError", () => showError(say("unreachable")));
  document.addEventListener("htmx:beforeOnLoad", () => {
    // It answers again.
    for (const text of document.querySelectorAll(".toast.error p")) {
      if (text.textContent === say("unreachable")) text.closest(".toast").remove();
    }
  });
  const linkToSignIn = (address) => {
    const link = document.createElement("a");
    link.href = address;
    link.target = "_blank";
    link.textContent = say("sign_in");
    return link;
  };
  document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
    if (xhr.status === 401) {
      showError(say("signed_out"), linkToSignIn(xhr.getResponseHeader("Location")));
      return;
    }
    const reasons = { 403: "refused", 404: "gone" };
    showError(say(reasons[xhr.status] || "failed", { status: xhr.status }));
  });

  // --- who signs in again in another tab --------------------------------------------------------------------------------
  // Signing in changes what Django expects to be sent along; the cookie has it.

  const tokenNow = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
  const renewToken = (place) => {
    const token = tokenNow();
    if (token) for (const input of place.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token;
  };
  document.addEventListener("submit", (event) => renewToken(event.target), true);
  addEventListener("focus", () => renewToken(document));
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const token = tokenNow();
    if (!token) return;
    renewToken(document);
    detail.headers["X-CSRFToken"] = token;
    if ("csrfmiddlewaretoken" in detail.parameters) detail.parameters.csrfmiddlewaretoken = token;
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
