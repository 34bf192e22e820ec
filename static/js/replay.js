// A replay of history (form[data-replay="id of the result"]): asked for line by line, shown as it goes on, and given up when the
// page, or the form, goes away. `data-replay-auto` asks at once, and again whenever its field `draft` asks for something else.
// What was told last is announced as `replay:told`. Without this script the form leads to a page with the result.
(() => {
  "use strict";

  const BUSY = 1500;
  const TRIES = 6;
  const running = new WeakMap();
  const REASONS = { 401: "signed_out", lost: "unreachable" };
  const idle = new WeakMap(); // what stands there as long as there is nothing to replay

  const tell = (line) => document.dispatchEvent(new CustomEvent("replay:told", { detail: line }));

  const show = (target, line) => {
    if ("html" in line) {
      target.innerHTML = line.html;
      tell(line);
      return;
    }
    const bar = target.querySelector("progress") || document.createElement("progress");
    bar.max = Math.max(1, line.total);
    bar.value = line.done;
    bar.setAttribute("aria-label", say("replaying"));
    if (!bar.isConnected) target.replaceChildren(bar);
  };

  const ask = async (form, button, signal) => {
    const asked = new URLSearchParams(new FormData(form, button));
    const isPost = form.method === "post";
    const address = isPost ? form.action : `${form.action}?${asked}`;
    const headers = { Accept: "application/x-ndjson" };
    const request = { method: form.method.toUpperCase(), headers, body: isPost ? asked : undefined, signal };
    return fetch(address, request).catch((error) => {
      throw error.name === "AbortError" ? error : new Error("lost");
    });
  };

  // Whether others are at it, and it is worth to wait for them.
  const follow = async (form, response, target, stop, patient) => {
    const decoder = new TextDecoder();
    let text = "";
    for (const reader = response.body.getReader(); ; ) {
      const { value, done } = await reader.read();
      if (done) break;
      if (!form.isConnected) {
        stop.abort();
        return false;
      }
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines.map(JSON.parse)) {
        if (line.busy && patient) return true;
        show(target, line);
      }
    }
    if (target.querySelector("progress")) throw new Error("unfinished");
    return false;
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
      let tries = form.dataset.replayAuto === undefined ? 1 : TRIES;
      for (let busy = true; busy && !stop.signal.aborted; tries -= 1) {
        const response = await ask(form, button, stop.signal);
        if (!response.ok) throw new Error(String(response.status));
        busy = await follow(form, response, target, stop, tries > 1);
        if (busy) await new Promise((resolve) => setTimeout(resolve, BUSY));
      }
    } catch (error) {
      if (error.name !== "AbortError") target.textContent = say(REASONS[error.message] || "replay_failed");
    }
  };

  // A draft is signed, with the time of it at the end: what is asked stands before that.
  const askedBy = (form) => form.elements.draft?.value.split(":")[0];

  const begin = () => {
    for (const form of document.querySelectorAll("form[data-replay-auto]")) {
      const asked = askedBy(form);
      if (form.dataset.asked === (asked ?? "")) continue;
      const target = document.getElementById(form.dataset.replay);
      if (!idle.has(form)) idle.set(form, target.innerHTML);
      form.dataset.asked = asked ?? "";
      for (const button of form.querySelectorAll("button")) button.disabled = asked === "";
      if (asked !== "") {
        replay(form, form.querySelector("[aria-pressed=true]") || form.querySelector("[data-replay-first]"));
        continue;
      }
      running.get(form)?.abort();
      target.innerHTML = idle.get(form);
      tell({});
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
