// Plots of a project's runs, or of one run ([data-workspace]): which runs and settings, what to fetch, when to look again.
//
//   data-curves="address"   outlines of metrics        data-marks="address"   thresholds and firings of automations
//   #plotted-runs           the runs ([data-run]), kept up to date by live.js. Its check boxes say which are drawn
//   #plots                  figures [data-metric] in sections; a plot is drawn while it is near the screen
//   #plot-settings          x, smooth, log, clip, q, newest. All of it stands in the address
(() => {
  "use strict";

  const root = document.querySelector("[data-workspace]");
  if (!root) return;

  const METRICS_A_REQUEST = 6;
  const RUNS_A_REQUEST = 50;
  const NEAR = "300px";
  const AGAIN = 150;
  const SYSTEM = "system.";

  const form = document.getElementById("plot-settings");
  const status = document.getElementById("plot-status");
  const said = document.getElementById("plot-said");
  const known = new Map(); // axis and metric → Map(run → {lines, curve})
  const plots = new Map(); // figure → MetricPlot, of those near the screen
  let marks = {};
  let runs = new Map();
  let loading = false;

  // --- what is chosen -------------------------------------------------------------------------------------------------

  const readRuns = () => {
    runs = new Map();
    for (const row of root.querySelectorAll("[data-run]")) {
      const { run, name, colour, started, lines, systemLines, state } = row.dataset;
      const box = row.querySelector("input[type=checkbox]");
      runs.set(run, { name, state, colour: Number(colour), started: Number(started), lines, systemLines, shown: !box || box.checked });
    }
  };
  const isSystem = (metric) => metric.startsWith(SYSTEM);
  const shown = () => [...runs].filter(([, about]) => about.shown).map(([run]) => run);
  const linesOf = (run, metric) => (isSystem(metric) ? runs.get(run).systemLines : runs.get(run).lines);
  // What a machine reports has a time, and no step.
  const settingsOf = (metric) => {
    const x = form.elements.x.value;
    return {
      x: isSystem(metric) && x === "step" ? "relative" : x,
      smooth: Number(form.elements.smooth.value) / 100,
      log: form.elements.log.checked,
      clip: form.elements.clip.checked,
    };
  };
  const axisOf = (metric) => (settingsOf(metric).x === "step" ? "step" : "time");
  const keep = (metric) => {
    const key = `${axisOf(metric)} ${metric}`;
    if (!known.has(key)) known.set(key, new Map());
    return known.get(key);
  };
  const figures = () => [...root.querySelectorAll("figure[data-metric]")];

  const remember = () => {
    const address = new URL(location.href);
    const set = (name, value, usual) => (value && value !== usual ? address.searchParams.set(name, value) : address.searchParams.delete(name));
    set("x", form.elements.x.value, form.elements.x.dataset.usual);
    set("smooth", form.elements.smooth.value, "0");
    for (const name of ["log", "clip"]) set(name, form.elements[name].checked ? "1" : "", "");
    set("q", form.elements.q.value.trim(), "");
    if (form.elements.newest) set("newest", form.elements.newest.value, form.elements.newest.dataset.usual);
    const differing = (usual) =>
      [...root.querySelectorAll("[data-run] input[type=checkbox]")]
        .filter((box) => box.checked !== usual && ("usual" in box.dataset) === usual)
        .map((box) => box.value).join(",");
    set("hide", differing(true), "");
    set("show", differing(false), "");
    history.replaceState(history.state, "", address);
  };

  // --- drawing --------------------------------------------------------------------------------------------------------

  const marksOf = (metric) => marks[metric] || { thresholds: [], firings: [], watching: [] };

  const draw = (figure) => {
    const metric = figure.dataset.metric;
    const curves = new Map();
    for (const run of shown()) {
      const curve = keep(metric).get(run)?.curve;
      if (curve) curves.set(run, curve);
    }
    const plot = plots.get(figure);
    const drawn = { runs, settings: settingsOf(metric), marks: marksOf(metric) };
    if (plot) CloseUp.look(figure, plot, { address: root.dataset.curves, curves, redraw: () => plots.has(figure) && draw(figure) });
    plot?.show({ ...drawn, curves: CloseUp.merged(figure, plot, curves, runs) });
    PlotNotes.write(figure, { ...drawn, curves }, plot?.beyond);
  };
  const drawAll = () => {
    for (const figure of plots.keys()) draw(figure);
  };

  const highlight = (run) => {
    for (const row of root.querySelectorAll("[data-run]")) row.classList.toggle("lit", row.dataset.run === run);
    for (const plot of plots.values()) plot.highlight(run);
  };

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting && !plots.has(target)) {
          plots.set(target, new MetricPlot(target, { onHover: highlight, onSay: (text) => (said.textContent = text), onZoom: () => draw(target) }));
          draw(target);
        } else if (!isIntersecting && plots.has(target)) {
          plots.get(target).destroy();
          plots.delete(target);
        }
      }
      load();
    },
    { rootMargin: NEAR },
  );
  const watchFigures = () => {
    for (const [figure, plot] of plots) {
      plot.destroy();
      plots.delete(figure);
    }
    watcher.disconnect();
    for (const figure of figures()) watcher.observe(figure);
  };

  // --- fetching -------------------------------------------------------------------------------------------------------

  const stale = (metric) => shown().filter((run) => keep(metric).get(run)?.lines !== linesOf(run, metric));

  const next = () => {
    const waiting = [...plots.keys()].map((figure) => figure.dataset.metric).filter((metric) => stale(metric).length);
    if (!waiting.length) return null;
    const axis = axisOf(waiting[0]);
    const metrics = waiting.filter((metric) => axisOf(metric) === axis && isSystem(metric) === isSystem(waiting[0]));
    const some = metrics.slice(0, METRICS_A_REQUEST);
    return { axis, metrics: some, runs: [...new Set(some.flatMap(stale))].slice(0, RUNS_A_REQUEST) };
  };

  const ask = async ({ axis, metrics, runs: asked }) => {
    const query = new URLSearchParams([["x", axis], ...metrics.map((one) => ["metric", one]), ...asked.map((one) => ["run", one])]);
    const lines = new Map(metrics.map((metric) => [metric, new Map(asked.map((run) => [run, runs.has(run) ? linesOf(run, metric) : ""]))]));
    const response = await fetch(`${root.dataset.curves}?${query}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    const { curves, behind } = await response.json();
    for (const metric of metrics) {
      const kept = known.get(`${axis} ${metric}`) || keep(metric);
      for (const run of asked) kept.set(run, { lines: behind.includes(run) ? null : lines.get(metric).get(run), curve: kept.get(run)?.curve });
    }
    for (const curve of curves) known.get(`${axis} ${curve.metric}`).get(curve.run).curve = curve;
    return behind.length;
  };

  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      for (let wanted = next(); wanted; wanted = next()) {
        const behind = await ask(wanted);
        for (const figure of [...plots.keys()]) if (wanted.metrics.includes(figure.dataset.metric)) draw(figure);
        status.textContent = behind ? sayCount("reading", behind) : "";
        if (behind) await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
      status.textContent = "";
    } catch {
      status.textContent = say("unread");
    } finally {
      loading = false;
    }
  };

  const loadMarks = async () => {
    try {
      const response = await fetch(root.dataset.marks, { headers: { Accept: "application/json" } });
      if (response.ok) marks = await response.json();
    } catch {
      return; // plots are right without them
    }
    for (const figure of figures()) plots.has(figure) ? draw(figure) : PlotNotes.watching(figure, marksOf(figure.dataset.metric));
  };

  // --- looking again (live.js asks) -----------------------------------------------------------------------------------

  let metricsDrawn = document.getElementById("plotted-runs").dataset.metrics;

  const lookAgain = async () => {
    readRuns();
    findRuns();
    drawAll();
    loadMarks();
    const { metrics } = document.getElementById("plotted-runs").dataset;
    if (metrics !== metricsDrawn) {
      metricsDrawn = metrics;
      Live.put(await Live.part("plots"));
      watchFigures();
      search();
    }
    load();
  };
  document.addEventListener("live:changed", ({ detail }) => {
    if (detail.id === "plotted-runs") lookAgain().catch(() => {});
  });

  // --- what people do -------------------------------------------------------------------------------------------------

  const search = () => {
    const wanted = form.elements.q.value.trim().toLowerCase();
    let found = 0;
    for (const section of root.querySelectorAll(".plot-section")) {
      const inside = [...section.querySelectorAll("figure[data-metric]")];
      for (const figure of inside) figure.hidden = !figure.dataset.metric.toLowerCase().includes(wanted);
      const some = inside.filter((figure) => !figure.hidden).length;
      section.hidden = !some;
      found += some;
    }
    const none = document.getElementById("no-plots");
    if (none) none.hidden = found > 0 || !root.querySelector("figure[data-metric]"); // with none at all, the page says so
  };

  const findRuns = () => {
    const wanted = document.getElementById("find-runs")?.value.trim().toLowerCase();
    if (wanted === undefined) return;
    for (const row of root.querySelectorAll("tr[data-run]")) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
  };

  const showNewest = () => {
    const newest = Number(form.elements.newest.value);
    [...root.querySelectorAll("[data-run] input[type=checkbox]")].forEach((box, i) => {
      box.checked = i < newest;
      if (box.checked) box.dataset.usual = "";
      else delete box.dataset.usual;
    });
  };

  const apply = () => {
    readRuns();
    remember();
    drawAll();
    load();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  root.addEventListener("input", ({ target }) => {
    if (target.id === "find-runs") findRuns();
    else if (target.name === "q") search(), remember();
    else if (target.name === "newest") showNewest(), apply();
    else if (target.closest("[data-run], #plot-settings")) apply();
  });
  root.addEventListener("pointerover", ({ target }) => {
    const row = target.closest?.("tr[data-run]");
    if (row) highlight(row.dataset.run);
  });
  root.addEventListener("pointerout", ({ target }) => target.closest?.("tr[data-run]") && highlight(null));
  root.addEventListener("toggle", ({ target }) => target.matches?.(".plot-values[open]") && draw(target.closest("figure")), true);

  const recolour = () => plots.forEach((plot) => plot.recolour());
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

  readRuns();
  search();
  watchFigures();
  loadMarks();
})();
