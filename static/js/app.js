/* The little that pages need beside htmx: dialogs, menus, copying, toasts, variables of payloads, double submits. */
(function () {
  "use strict";

  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const target = event.target instanceof Element ? event.target.closest(selector) : null;
      if (target) {
        act(target, event);
      }
    });

  /* --- theme ------------------------------------------------------------------------------------------- */

  const showTheme = () => {
    const chosen = document.documentElement.dataset.theme || "auto";
    document.querySelectorAll("[data-theme-set]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === chosen));
    });
  };

  on("click", "[data-theme-set]", (button) => {
    const theme = button.dataset.themeSet;
    if (theme === "auto") {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = theme;
    }
    try {
      localStorage.setItem("theme", theme);
    } catch {
      /* The choice lasts for this page only. */
    }
    showTheme();
  });

  /* --- dialogs, menus, side bar ------------------------------------------------------------------------ */

  const openDialog = (dialog) => {
    if (dialog instanceof HTMLDialogElement && !dialog.open) {
      dialog.showModal();
    }
  };

  on("click", "[data-dialog-open]", (button, event) => {
    event.preventDefault();
    button.closest("[popover]")?.hidePopover();
    openDialog(document.getElementById(button.dataset.dialogOpen));
  });

  on("click", "[data-dialog-close]", (button) => button.closest("dialog")?.close());

  document.addEventListener("close", (event) => {
    if (event.target instanceof HTMLDialogElement && event.target.hasAttribute("data-dialog-auto")) {
      event.target.remove();
    }
  }, true);

  /* A menu opens below its button, or above it where there is no room. */
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLElement) || !menu.matches("[popover].menu") || event.newState !== "open") {
      return;
    }
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    const from = button.getBoundingClientRect();
    const box = menu.getBoundingClientRect();
    const below = from.bottom + 4 + box.height <= window.innerHeight;
    const top = below ? from.bottom + 4 : Math.max(8, from.top - box.height - 4);
    const fitsRight = from.left + box.width <= window.innerWidth - 8;
    const left = fitsRight ? from.left : Math.max(8, from.right - box.width);
    menu.style.setProperty("top", `${top}px`);
    menu.style.setProperty("left", `${left}px`);
  }, true);

  const side = (open) => {
    document.documentElement.toggleAttribute("data-side", open);
    document.querySelector("[data-side-open]")?.setAttribute("aria-expanded", String(open));
    if (open) {
      document.querySelector(".side a")?.focus();
    } else {
      document.querySelector("[data-side-open]")?.focus();
    }
  };
  on("click", "[data-side-open]", () => side(true));
  on("click", "[data-side-close]", () => side(false));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.documentElement.hasAttribute("data-side")) {
      side(false);
    }
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });

  /* --- copying ----------------------------------------------------------------------------------------- */

  const copy = async (button, text) => {
    const label = button.querySelector("[data-copy-label]");
    const before = label?.textContent;
    try {
      await navigator.clipboard.writeText(text);
      if (label) {
        label.textContent = "Copied";
      }
    } catch {
      if (label) {
        label.textContent = "Copying is not allowed here";
      }
    }
    window.setTimeout(() => {
      if (label) {
        label.textContent = before;
      }
    }, 1500);
  };
  on("click", "[data-copy]", (button) => copy(button, button.dataset.copy));
  on("click", "[data-copy-from]", (button) => copy(button, document.getElementById(button.dataset.copyFrom).textContent));

  /* --- payload editor ---------------------------------------------------------------------------------- */

  on("click", "[data-insert]", (button) => {
    const area = document.getElementById(button.dataset.insertInto);
    area.focus();
    area.setRangeText(button.dataset.insert, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  on("click", "[data-format-json]", (button) => {
    const area = document.getElementById(button.dataset.formatJson);
    try {
      area.value = JSON.stringify(JSON.parse(area.value), null, 2);
    } catch {
      area.focus(); /* what is wrong with it is said below the editor */
    }
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  /* --- forms ------------------------------------------------------------------------------------------- */

  /* A second click while the first is under way does nothing. Links and back bring the button to life again. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) {
      return;
    }
    if (form.dataset.busy) {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "true";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  const wake = () => {
    document.querySelectorAll("[data-busy]").forEach((form) => delete form.dataset.busy);
    document.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  };
  window.addEventListener("pageshow", wake);
  document.addEventListener("htmx:afterRequest", wake);

  /* --- toasts ------------------------------------------------------------------------------------------ */

  const close = (toast) => toast?.remove();
  on("click", "[data-toast-close]", (button) => close(button.closest("[data-toast]")));

  const settle = (root) => {
    root.querySelectorAll("[data-toast]:not(.error):not([data-timed])").forEach((toast) => {
      toast.dataset.timed = "true";
      window.setTimeout(() => close(toast), 8000);
    });
    root.querySelectorAll("dialog[data-dialog-auto]").forEach(openDialog);
    if (root instanceof HTMLDialogElement && root.hasAttribute("data-dialog-auto")) {
      openDialog(root);
    }
  };

  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    toast.dataset.toast = "";
    const words = document.createElement("p");
    words.textContent = text;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.dataset.toastClose = "";
    button.textContent = "Dismiss";
    toast.append(words, button);
    document.getElementById("toasts")?.append(toast);
  };

  document.addEventListener("htmx:sendError", () => say("The server cannot be reached. What you entered is still here; try again in a moment."));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    const sentences = {
      403: "You may not do this any more. Reload the page to see what changed.",
      404: "This does not exist any more. Reload the page to see what changed.",
    };
    say(sentences[status] || `The server answered ${status}. Nothing was changed; try again in a moment.`);
  });
  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
  document.addEventListener("htmx:afterSettle", showTheme);
  document.addEventListener("DOMContentLoaded", () => {
    settle(document);
    showTheme();
  });
})();
