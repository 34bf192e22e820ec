// A replay of history (form[data-replay="id of the result"]): asked for line by line, shown as it goes on, and given up when the
// page, or the form, goes away. `data-replay-auto` asks at once. Without this script the form leads to a page with the result.
(() => {
  "use strict";

  const FAILED = "The replay did not come to an end. Try again with fewer days.";
  const running = new WeakMap();

  const show = (target, line) => {
    if ("html" in line) {
      target.innerHTML = line.html;
      return;
    }
    const bar = target.querySelector("progress") || document.createElement("progress");
    bar.max = Math.max(1, line.total);
    bar.value = line.done;
    bar.setAttribute("aria-label", "Replaying history");
    if (!bar.isConnected) target.replaceChildren(bar);
  };

  const ask = async (form, button, signal) => {
    const asked = new URLSearchParams(new FormData(form, button));
    const isPost = form.method === "post";
    const address = isPost ? form.action : `${form.action}?${asked}`;
    const headers = { Accept: "application/x-ndjson" };
    return fetch(address, { method: form.method.toUpperCase(), headers, body: isPost ? asked : undefined, signal });
  };

  const follow = async (form, response, target, stop) => {
    const decoder = new TextDecoder();
    let text = "";
    for (const reader = response.body.getReader(); ; ) {
      const { value, done } = await reader.read();
      if (done) break;
      if (!form.isConnected) {
        stop.abort();
        return;
      }
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) show(target, JSON.parse(line));
    }
    if (target.querySelector("progress")) throw new Error(FAILED);
  };

  const replay = async (form, button) => {
    running.get(form)?.abort();
    const stop = new AbortController();
    running.set(form, stop);
    addEventListener("pagehide", () => stop.abort(), { once: true, signal: stop.signal });
    const target = document.getElementById(form.dataset.replay);
    for (const one of form.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
    show(target, { done: 0, total: 1 });
    try {
      const response = await ask(form, button, stop.signal);
      if (!response.ok) throw new Error(FAILED);
      await follow(form, response, target, stop);
    } catch (error) {
      if (error.name !== "AbortError") target.textContent = FAILED;
    }
  };

  const begin = () => {
    for (const form of document.querySelectorAll("form[data-replay-auto]:not([data-begun])")) {
      form.dataset.begun = "";
      replay(form, form.querySelector("[data-replay-first]"));
    }
  };

  document.addEventListener(
    "submit",
    (event) => {
      if (!("replay" in event.target.dataset)) return;
      event.preventDefault();
      event.stopPropagation();
      replay(event.target, event.submitter);
    },
    true,
  );
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    for (const form of detail.target.querySelectorAll("form[data-replay]")) running.get(form)?.abort();
  });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
