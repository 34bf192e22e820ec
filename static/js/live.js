// Parts of a page that change while scripts run ([data-live] with an id): asked for again and again, more slowly while nothing
// happens, never in a hidden tab, and no longer once the server leaves the attribute out.
//
//   live:changed on document        says which part is new, in detail.id
//   [name=pick]                     inside: as long as one is ticked, the part stays as it is
//   [data-live-keep]                inside: something that scrolls, and stays scrolled as it is
//   [data-live-end]                 inside: something that scrolls, and stays as it is unless it is scrolled to its end
(() => {
  "use strict";

  const SOONEST = 5_000;
  const LATEST = 60_000;
  const AT_THE_END = 40;

  const part = async (id) => {
    const response = await fetch(location.href, { headers: { "HX-Request": "true", "HX-Target": id } });
    if (!response.ok) throw new Error(String(response.status));
    return new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
  };

  // How long ago something was changes all the time.
  const essence = (element) => element.outerHTML.replace(/<time[^>]*>[^<]*<\/time>/g, "");

  const isInUse = (old) => {
    const scroller = old.querySelector("[data-live-end]");
    if (scroller && Math.abs(scroller.scrollTop) > AT_THE_END) return true;
    if (old.querySelector(":popover-open, [name=pick]:checked")) return true;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    return Boolean(focused && !focused.id) || !(getSelection().isCollapsed || !old.contains(getSelection().anchorNode));
  };

  const put = (fresh) => {
    const old = document.getElementById(fresh.id);
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolled = old.querySelector("[data-live-keep]")?.scrollTop;
    old.replaceWith(document.adoptNode(fresh));
    if (scrolled) fresh.querySelector("[data-live-keep]").scrollTop = scrolled;
    htmx.process(fresh);
    if (focused) document.getElementById(focused)?.focus();
    document.dispatchEvent(new CustomEvent("live:changed", { detail: { id: fresh.id } }));
  };

  const follow = (first) => {
    const { id } = first;
    let delay = SOONEST;
    let before = null;
    let timer = 0;

    const look = async () => {
      const old = document.getElementById(id);
      if (!old?.hasAttribute("data-live")) return;
      if (isInUse(old)) {
        wait();
        return;
      }
      try {
        const fresh = await part(id);
        if (isInUse(old)) {
          wait(); // since it was asked for
          return;
        }
        const now = fresh && essence(fresh);
        if (fresh && now !== before && document.getElementById(id) === old) {
          put(fresh);
          delay = before === null ? delay : SOONEST;
        } else {
          delay = Math.min(delay * 1.5, LATEST);
        }
        before = now;
      } catch {
        delay = LATEST;
      }
      wait();
    };
    const wait = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(look, delay);
    };
    document.addEventListener("visibilitychange", () => {
      delay = SOONEST;
      if (document.hidden) clearTimeout(timer);
      else look();
    });
    wait();
  };

  const followed = new Set();
  const settle = () => {
    for (const element of document.querySelectorAll("[data-live][id]")) {
      if (followed.has(element.id)) continue;
      followed.add(element.id);
      follow(element);
    }
  };
  document.addEventListener("htmx:afterSettle", settle);
  settle();

  window.Live = { part, put };
})();
