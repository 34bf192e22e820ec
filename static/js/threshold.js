// The plot of the metric that an automation's form asks about ([data-threshold-plot="address of its curves"]): the
// threshold is a line that is moved with the mouse, a finger or the arrow keys, and what a replay found is marked on the
// lines. The number in the form stays the truth: the line follows it, and moving the line writes into it.
(() => {
  "use strict";

  const TYPED = 300;
  const AGAIN = 150;
  const STEPS = 100;
  const MARKED_RUNS = 10;
  const SYSTEM = "system.";
  const SYMBOLS = { $gt: ">", $gte: "≥", $lt: "<", $lte: "≤", $eq: "=", $ne: "≠" };
  const BAR = "RUN_METRIC";
  let shown = null;

  // 1, 2 or 5 times a power of ten, next below.
  const round = (size) => {
    const power = 10 ** Math.floor(Math.log10(size));
    return [5, 2, 1].find((factor) => factor * power <= size * 1.0001) * power;
  };
  // So many digits as tell one place of the plot from the next.
  const written = (value, step) => String(Number(value.toFixed(Math.min(20, Math.max(0, -Math.floor(Math.log10(step)))))));

  class ThresholdPlot {
    constructor(root) {
      this.root = root;
      this.form = root.closest("form");
      this.figure = root.querySelector("figure");
      this.handle = root.querySelector(".plot-handle");
      this.none = root.querySelector("[data-plot-none]");
      this.fired = root.querySelector("[data-plot-fired]");
      this.curves = new Map();
      this.runs = new Map();
      this.marks = [];
      this.verdict = "";
      this.metric = null;
      this.stop = new AbortController();
      const { signal } = this.stop;
      this.form.addEventListener("input", () => this.look(), { signal });
      document.addEventListener("replay:told", ({ detail }) => this.mark(detail), { signal });
      this.handle.addEventListener("pointerdown", (event) => this.grip(event), { signal });
      this.handle.addEventListener("pointermove", (event) => this.drag(event), { signal });
      for (const type of ["pointerup", "pointercancel"]) this.handle.addEventListener(type, () => this.drop(), { signal });
      this.handle.addEventListener("keydown", (event) => this.press(event), { signal });
      addEventListener("resize", () => requestAnimationFrame(() => this.place()), { signal });
      this.look(0);
    }

    value(name) {
      return this.form.elements[name]?.value.trim() ?? "";
    }

    // --- what is plotted ------------------------------------------------------------------------------------------------

    look(delay = TYPED) {
      const metric = this.root.offsetParent ? this.value("metric_name") : "";
      if (metric === this.metric) {
        this.draw();
        return;
      }
      this.metric = metric;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.fetch(), delay);
    }

    async fetch() {
      const { metric } = this;
      this.asking?.abort();
      this.asking = new AbortController();
      if (!metric) {
        this.take(metric, { runs: [], curves: [] });
        return;
      }
      const marked = [...new Set(this.marks.map(({ run }) => run))].slice(0, MARKED_RUNS);
      const query = new URLSearchParams([["metric", metric], ...marked.map((run) => ["run", run])]);
      try {
        const response = await fetch(`${this.root.dataset.thresholdPlot}?${query}`, {
          headers: { Accept: "application/json" },
          signal: this.asking.signal,
        });
        if (!response.ok) return; // the form works without a plot
        const found = await response.json();
        this.take(metric, found);
        if (found.behind) this.waiting = setTimeout(() => this.fetch(), AGAIN);
      } catch {
        return; // asked for something else meanwhile, or the page was left
      }
    }

    take(metric, { runs, curves }) {
      if (this.stop.signal.aborted) return;
      this.runs = new Map(runs.map((about) => [about.run, about]));
      this.curves = new Map(curves.map((curve) => [curve.run, curve]));
      this.figure.dataset.metric = metric;
      this.figure.querySelector(".name").textContent = metric;
      this.figure.hidden = !curves.length;
      this.none.hidden = Boolean(curves.length) || !metric;
      this.draw();
    }

    mark({ marks = [], verdict = "" }) {
      this.marks = marks;
      this.verdict = verdict;
      const missing = marks.some(({ run }, at) => at < MARKED_RUNS && !this.runs.has(run));
      if (missing && this.metric) this.fetch();
      this.draw();
    }

    // --- drawing --------------------------------------------------------------------------------------------------------

    hasBar() {
      return this.value("event_type") === BAR && this.value("cmp_op") in SYMBOLS;
    }

    threshold() {
      const text = this.value("threshold");
      return text && Number.isFinite(Number(text)) ? Number(text) : null;
    }

    draw() {
      if (this.figure.hidden || this.stop.signal.aborted) return;
      this.plot ||= new MetricPlot(this.figure, {
        onHover: () => {},
        onSay: (text) => (this.root.querySelector("[data-plot-said]").textContent = text),
      });
      const threshold = this.hasBar() ? this.threshold() : null;
      const symbol = SYMBOLS[this.value("cmp_op")];
      const thresholds = threshold === null ? [] : [{ value: threshold, text: `${symbol} ${MetricPlot.number(threshold)}` }];
      const marks = { thresholds, firings: this.marks, watching: [] };
      const settings = { x: this.metric.startsWith(SYSTEM) ? "relative" : "step", smooth: 0, log: false, clip: true };
      const drawn = { curves: this.curves, runs: this.runs, settings, marks };
      this.plot.show(drawn);
      PlotNotes.gaps(this.figure, drawn, this.plot.beyond);
      const isMarked = this.marks.some(({ run }) => this.curves.has(run));
      this.fired.hidden = !this.verdict;
      this.fired.textContent = isMarked ? `▲ ${this.verdict}` : this.verdict;
      this.place();
    }

    place() {
      this.handle.hidden = !this.hasBar();
      if (this.handle.hidden || !this.plot) return;
      const { y } = this.plot.chart.scales;
      const { top, bottom } = this.plot.chart.chartArea;
      const threshold = this.threshold();
      const value = threshold ?? (y.min + y.max) / 2;
      this.handle.style.top = `${Math.min(Math.max(y.getPixelForValue(value), top), bottom)}px`;
      this.handle.style.left = `${this.plot.chart.chartArea.left}px`;
      this.handle.classList.toggle("unset", threshold === null);
      this.handle.title = threshold === null ? this.handle.dataset.offer : "";
      const told = { min: Math.min(y.min, value), max: Math.max(y.max, value), now: value };
      for (const [name, number] of Object.entries(told)) this.handle.setAttribute(`aria-value${name}`, written(number, this.stride() / 10));
      this.handle.setAttribute("aria-valuetext", threshold === null ? this.handle.dataset.unset : MetricPlot.number(value));
    }

    // --- moving the line ------------------------------------------------------------------------------------------------

    stride() {
      const { min, max } = this.plot.chart.scales.y;
      return round((max - min) / STEPS || 1);
    }

    write(value, step = this.stride() / 2) {
      const field = this.form.elements.threshold;
      field.value = written(Math.round(value / step) * step, step);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    grip(event) {
      if (event.button !== 0) return;
      event.preventDefault();
      this.handle.focus();
      this.handle.setPointerCapture(event.pointerId);
      this.plot.hold(); // the axis stands still while the line moves
      this.held = event.clientY - this.handle.getBoundingClientRect().top - this.handle.offsetHeight / 2;
    }

    drag(event) {
      if (this.held === undefined) return;
      const { chartArea: box, scales, canvas } = this.plot.chart;
      const at = event.clientY - this.held - canvas.getBoundingClientRect().top;
      this.write(scales.y.getValueForPixel(Math.min(Math.max(at, box.top), box.bottom)));
    }

    drop() {
      if (this.held === undefined) return;
      this.held = undefined;
      this.plot.release();
      this.draw();
    }

    press(event) {
      const { min, max } = this.plot.chart.scales.y;
      const step = this.stride();
      const now = this.threshold() ?? (min + max) / 2;
      const moved = {
        ArrowUp: now + step,
        ArrowRight: now + step,
        ArrowDown: now - step,
        ArrowLeft: now - step,
        PageUp: now + 10 * step,
        PageDown: now - 10 * step,
        Home: min,
        End: max,
      }[event.key];
      if (moved === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.write(moved);
    }

    destroy() {
      this.stop.abort();
      this.asking?.abort();
      clearTimeout(this.waiting);
      this.plot?.destroy();
    }
  }

  // htmx brings each step of the form anew.
  const begin = () => {
    const root = document.querySelector("[data-threshold-plot]");
    if (shown?.root === root) return;
    shown?.destroy();
    shown = root ? new ThresholdPlot(root) : null;
  };
  const recolour = () => shown?.plot?.recolour();
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
