// One line plot of a metric over runs, drawn by Chart.js on the canvas of a figure.plot. What it draws is set from outside:
//
//   new MetricPlot(figure, { onHover(run or null), onSay(text), onZoom()? })
//   .show({ curves: Map(run → {x, y}), runs: Map(run → {name, colour, started}), settings: {x, smooth, log, clip}, marks })
//   .highlight(run or null)  .recolour()  .destroy()  .range(): what is in view, as {x, from, to} in steps or seconds, or null
//   .hold()  .release(): the y axis stands still between them       .beyond: the value farthest out of a plot of `settings.clip`
//
// Dragging zooms, a double click shows all. With the keyboard: arrows read values, + and − zoom, 0 shows all.
(() => {
  "use strict";

  const COLOURS = 10;
  const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
  const LISTED = 6;
  const LEAST_DRAG = 6;
  const FAR = 1000;
  const NEAR = 10;
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const PACES = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000];

  // --- numbers and times --------------------------------------------------------------------------------------------

  const number = (value) => {
    if (!Number.isFinite(value)) return say("odd");
    const size = Math.abs(value);
    if (size && (size >= 1e6 || size < 1e-4)) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
    return String(Number(value.toPrecision(4)));
  };

  const moment = (milliseconds, span) => {
    const short = span < 2 * 86400e3;
    const options = short
      ? { hour: "2-digit", minute: "2-digit", ...(span < 300e3 && { second: "2-digit" }) }
      : { month: "short", day: "numeric" };
    return new Intl.DateTimeFormat(document.documentElement.lang || "en", options).format(milliseconds);
  };

  const unitOf = (seconds) => UNITS.find(([size]) => seconds >= 2 * size) || UNITS[UNITS.length - 1];

  // --- what lines are made of ---------------------------------------------------------------------------------------

  // An exponential average that starts at the first value; gaps stay gaps.
  const smoothed = (values, weight) => {
    let average = 0;
    let trust = 0;
    return values.map((value) => {
      if (!Number.isFinite(value)) return NaN;
      average = weight * average + (1 - weight) * value;
      trust = weight * trust + (1 - weight);
      return average / trust;
    });
  };

  const inOrder = (points) => {
    for (let i = 1; i < points.length; i += 1) {
      if (points[i].x < points[i - 1].x) return points.sort((a, b) => a.x - b.x);
    }
    return points;
  };

  // The index of the point nearest to `x` that has a value; -1 if none has.
  const nearest = (points, x) => {
    let low = 0;
    let high = points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle].x < x) low = middle + 1;
      else high = middle;
    }
    for (let off = 0; off < points.length; off += 1) {
      const sides = [low - off, low + off].filter((i) => points[i] && Number.isFinite(points[i].y));
      if (sides.length) return sides.sort((a, b) => Math.abs(points[a].x - x) - Math.abs(points[b].x - x))[0];
    }
    return -1;
  };

  const isAlone = (points, i) => !Number.isFinite(points[i - 1]?.y) && !Number.isFinite(points[i + 1]?.y);

  // --- colours: canvas knows neither variables nor light-dark() -----------------------------------------------------

  const probe = document.createElement("span");
  let colours = null;
  const colourOf = (token) => {
    probe.hidden = true;
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const readColours = () => {
    colours = {
      series: Array.from({ length: COLOURS }, (_, i) => colourOf(`--series-${i + 1}`)),
      accent: colourOf("--accent"),
      grid: colourOf("--plot-grid"),
      ink: colourOf("--ink-secondary"),
      ground: colourOf("--ground-raised"),
    };
  };
  // The ends of `values`; where a few of them dwarf the others, as once a loss has diverged, those of the others.
  const endsOf = (values, clip) => {
    const sizes = clip ? values.map(Math.abs).sort((a, b) => a - b) : [];
    const middle = sizes[sizes.length >> 1] || 0;
    const far = middle && sizes[sizes.length - 1] > FAR * middle ? NEAR * middle : Infinity;
    let [low, high, beyond] = [Infinity, -Infinity, null];
    for (const value of values) {
      if (Math.abs(value) > far) {
        if (Math.abs(value) > Math.abs(beyond)) beyond = value;
        continue;
      }
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return { low, high, beyond };
  };

  const faded = (colour, share) => colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

  // --- the plot -------------------------------------------------------------------------------------------------------

  class MetricPlot {
    constructor(figure, { onHover, onSay, onZoom = () => {} }) {
      if (!colours) readColours();
      this.figure = figure;
      this.area = figure.querySelector(".plot-area");
      this.tip = figure.querySelector(".plot-tip");
      this.reset = figure.querySelector("[data-plot-reset]");
      this.onHover = onHover;
      this.onSay = onSay;
      this.onZoom = onZoom;
      this.zoom = null;
      this.lit = null;
      this.cursor = null; // {run, x}
      this.drag = null;
      this.held = null;
      this.chart = new Chart(figure.querySelector("canvas"), this.config());
      this.stop = new AbortController();
      this.listen();
    }

    config() {
      return {
        type: "line",
        data: { datasets: [] },
        options: {
          animation: false,
          parsing: false,
          normalized: true,
          responsive: true,
          maintainAspectRatio: false,
          events: [],
          spanGaps: false,
          layout: { padding: { top: 8, right: 8 } },
          elements: { line: { tension: 0, borderWidth: 1.5 }, point: { radius: 0, hoverRadius: 0 } },
          plugins: { legend: { display: false }, tooltip: { enabled: false }, decimation: { enabled: false } },
          scales: { x: this.axis("x"), y: this.axis("y") },
        },
        plugins: [{ id: "marks", afterDatasetsDraw: () => this.drawOver() }],
      };
    }

    axis(name) {
      return {
        type: "linear",
        grid: { color: () => colours.grid, drawTicks: false },
        border: { display: false },
        ticks: {
          color: () => colours.ink,
          font: { size: 11, family: getComputedStyle(document.body).fontFamily },
          maxTicksLimit: name === "x" ? 6 : 5,
          maxRotation: 0,
          padding: 4,
          callback: (value) => (name === "x" ? this.place(value) : number(value)),
        },
      };
    }

    // What stands at a place of the x axis.
    place(value) {
      const scale = this.chart?.scales.x;
      const span = scale ? scale.max - scale.min : 0;
      if (this.settings?.x === "time") return moment(value, span);
      if (this.settings?.x === "relative") return `${number(value)} ${say(`unit_${this.unit[1]}`)}`;
      return Number.isInteger(value) ? new Intl.NumberFormat(document.documentElement.lang || "en", { notation: value >= 1e5 ? "compact" : "standard" }).format(value) : "";
    }

    show({ curves, runs, settings, marks }) {
      Object.assign(this, { curves, runs, settings, marks });
      let longest = 0;
      for (const [run, curve] of curves) longest = Math.max(longest, curve.x[curve.x.length - 1] - (runs.get(run)?.started || 0));
      this.unit = unitOf(longest);
      const datasets = [];
      for (const [run, curve] of curves) {
        const about = runs.get(run);
        if (about && curve.x.length) datasets.push(...this.linesOf(run, about, curve, settings));
      }
      this.chart.data.datasets = datasets;
      this.scale();
      this.chart.update("none");
      this.describe();
    }

    onAxis(x, about) {
      if (this.settings.x === "relative") return (x - about.started) / this.unit[0];
      return this.settings.x === "time" ? x * 1000 : x;
    }

    range() {
      if (!this.zoom || !this.settings) return null;
      const { x } = this.settings;
      const size = { step: 1, relative: this.unit[0], time: 1 / 1000 }[x];
      return { x, from: this.zoom[0] * size, to: this.zoom[1] * size };
    }

    linesOf(run, about, curve, settings) {
      const ys = curve.y.map((y) => (y === null ? NaN : y));
      const line = (values, share) => {
        const points = inOrder(values.map((y, i) => ({ x: this.onAxis(curve.x[i], about), y: settings.log && y <= 0 ? NaN : y })));
        return { run, share, data: points, order: share < 1 ? 2 : 1, ...this.styleOf(run, about, share),
          pointRadius: points.map((_, i) => (Number.isFinite(points[i].y) && isAlone(points, i) ? 2.5 : 0)) };
      };
      if (!settings.smooth) return [line(ys, 1)];
      return [line(smoothed(ys, settings.smooth), 1), line(ys, 0.25)];
    }

    styleOf(run, about, share) {
      const colour = colours.series[about.colour % COLOURS];
      const dim = this.lit && this.lit !== run ? 0.25 : 1;
      const shown = faded(colour, share * dim);
      const dash = DASHES[Math.floor(about.colour / COLOURS) % DASHES.length];
      return { borderColor: shown, pointBackgroundColor: shown, pointBorderColor: shown, borderDash: dash, borderWidth: this.lit === run ? 2.5 : 1.5 };
    }

    scale() {
      const { x, y } = this.chart.options.scales;
      y.type = this.settings.log ? "logarithmic" : "linear";
      x.min = this.zoom?.[0];
      x.max = this.zoom?.[1];
      x.ticks.stepSize = this.settings.x === "time" ? this.pace() : undefined;
      const values = this.chart.data.datasets.flatMap(({ data }) => data.filter((point) => this.shows(point.x)).map((point) => point.y)).filter(Number.isFinite);
      const { low, high, beyond } = endsOf(values, this.settings.clip && !this.settings.log);
      const room = high - low || Math.abs(high) || 1;
      const near = this.marks.thresholds.map((mark) => mark.value).filter((value) => value > low - room && value < high + room);
      const [from, to] = low < high ? [low, high] : [low - room, high + room];
      y.suggestedMin = Math.min(...near, from);
      y.suggestedMax = Math.max(...near, to);
      if (!Number.isFinite(y.suggestedMin)) delete y.suggestedMin;
      if (!Number.isFinite(y.suggestedMax)) delete y.suggestedMax;
      this.beyond = beyond;
      const cut = beyond === null ? null : { min: y.suggestedMin, max: y.suggestedMax };
      for (const end of ["min", "max"]) y[end] = (this.held || cut)?.[end];
    }

    hold() {
      const { min, max } = this.chart.scales.y;
      this.held = { min, max };
    }

    release() {
      this.held = null;
    }

    shows(place) {
      return !this.zoom || (place >= this.zoom[0] && place <= this.zoom[1]);
    }

    pace() {
      const xs = this.chart.data.datasets.flatMap(({ data }) => [data[0]?.x, data[data.length - 1]?.x]);
      const [from, to] = this.zoom || [Math.min(...xs), Math.max(...xs)];
      return 1000 * (PACES.find((pace) => (to - from) / 1000 / pace <= 6) || PACES[PACES.length - 1]);
    }

    describe() {
      const count = this.chart.data.datasets.filter(({ share }) => share === 1).length;
      this.figure.dataset.drawn = count;
      this.area.setAttribute("aria-label", sayCount("lines", count, { metric: this.figure.dataset.metric }));
    }

    highlight(run) {
      if (this.lit === run) return;
      this.lit = run;
      this.restyle();
    }

    restyle() {
      for (const dataset of this.chart.data.datasets) {
        const about = this.runs.get(dataset.run);
        if (about) Object.assign(dataset, this.styleOf(dataset.run, about, dataset.share));
      }
      this.chart.update("none");
    }

    recolour() {
      readColours();
      this.restyle();
    }

    destroy() {
      this.stop.abort();
      this.chart.destroy();
    }

    // --- over the lines: thresholds, firings, the cursor, what is being dragged ----------------------------------------

    drawOver() {
      if (!this.marks) return; // the chart is drawn once while it is made
      const { ctx, chartArea: box, scales } = this.chart;
      ctx.save();
      for (const mark of this.marks.thresholds) this.drawThreshold(ctx, box, scales.y, mark);
      for (const firing of this.marks.firings) this.drawFiring(ctx, box, scales, firing);
      if (this.cursor) this.drawCursor(ctx, box, scales);
      if (this.drag) {
        ctx.fillStyle = faded(colours.accent, 0.14);
        ctx.fillRect(Math.min(this.drag.from, this.drag.to), box.top, Math.abs(this.drag.to - this.drag.from), box.bottom - box.top);
      }
      ctx.restore();
    }

    drawThreshold(ctx, box, scale, { value, text }) {
      const at = scale.getPixelForValue(value);
      const y = Math.min(Math.max(at, box.top), box.bottom);
      ctx.strokeStyle = ctx.fillStyle = colours.accent;
      ctx.font = `11px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "right";
      if (at !== y || !Number.isFinite(at)) {
        ctx.fillText(`${text} ${at > y ? "↓" : "↑"}`, box.right - 2, at > y ? box.bottom - 4 : box.top + 10);
        return;
      }
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(box.left, y);
      ctx.lineTo(box.right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillText(text, box.right - 2, y - 4 > box.top + 8 ? y - 4 : y + 12);
    }

    drawFiring(ctx, box, { x, y }, firing) {
      const about = this.runs.get(firing.run);
      if (!about || !this.curves.has(firing.run)) return;
      const place = this.settings.x === "step" ? firing.step : this.onAxis(firing.at, about);
      const left = x.getPixelForValue(place);
      if (left < box.left - 1 || left > box.right + 1) return;
      const raw = Number.isFinite(firing.value) ? y.getPixelForValue(firing.value) : box.bottom;
      const top = Math.min(Math.max(Number.isFinite(raw) ? raw : box.bottom, box.top), box.bottom);
      ctx.fillStyle = colours.accent;
      ctx.strokeStyle = colours.ground;
      ctx.beginPath();
      ctx.moveTo(left, top - 6);
      ctx.lineTo(left + 5, top + 3);
      ctx.lineTo(left - 5, top + 3);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }

    drawCursor(ctx, box, { x, y }) {
      const points = this.lineOf(this.cursor.run)?.data;
      const point = points?.[nearest(points, this.cursor.x)];
      if (!point) return;
      const [left, top] = [x.getPixelForValue(point.x), y.getPixelForValue(point.y)];
      if (left < box.left - 1 || left > box.right + 1) return;
      ctx.strokeStyle = colours.ink;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(left, box.top);
      ctx.lineTo(left, box.bottom);
      ctx.stroke();
      ctx.fillStyle = colours.series[this.runs.get(this.cursor.run).colour % COLOURS];
      ctx.strokeStyle = colours.ground;
      ctx.beginPath();
      ctx.arc(left, top, 4, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
    }

    lineOf(run) {
      return this.chart.data.datasets.find((dataset) => dataset.run === run && dataset.share === 1);
    }
  }

  window.MetricPlot = MetricPlot;
  window.MetricPlot.number = number;
  window.MetricPlot.nearest = nearest;
  window.MetricPlot.LISTED = LISTED;
  window.MetricPlot.LEAST_DRAG = LEAST_DRAG;
})();
