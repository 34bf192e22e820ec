// Pointing at a MetricPlot: with the mouse or a finger, and with the keyboard. Values nearest to the pointer are listed in a
// tip, dragging zooms.
(() => {
  "use strict";

  const { number, nearest, LISTED, LEAST_DRAG } = MetricPlot;
  const STRIDES = 40;

  Object.assign(MetricPlot.prototype, {
    listen() {
      const signal = this.stop.signal;
      const on = (type, act) => this.area.addEventListener(type, act.bind(this), { signal });
      on("pointerdown", this.beginDrag);
      on("pointermove", this.point);
      on("pointerup", this.endDrag);
      on("pointercancel", this.leave);
      on("pointerleave", this.leave);
      on("dblclick", () => this.zoomTo(null));
      on("keydown", this.press);
      on("blur", this.leave);
      const showAll = () => {
        this.zoomTo(null);
        this.area.focus({ preventScroll: true }); // the button is gone
      };
      this.reset.addEventListener("click", showAll, { signal });
    },

    at({ clientX, clientY }) {
      const box = this.chart.canvas.getBoundingClientRect();
      return [clientX - box.left, clientY - box.top];
    },

    beginDrag(event) {
      if (event.button !== 0 || event.pointerType === "touch") return;
      const [left] = this.at(event);
      this.drag = { from: left, to: left };
      this.area.setPointerCapture(event.pointerId);
    },

    point(event) {
      const [left, top] = this.at(event);
      if (this.drag) {
        const { chartArea: box } = this.chart;
        this.drag.to = Math.min(Math.max(left, box.left), box.right);
      }
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (!this.stop.signal.aborted) this.look(left, top);
      });
    },

    look(left, top) {
      const { x, y } = this.chart.scales;
      const found = this.around(x.getValueForPixel(left));
      for (const one of found) one.away = Math.abs(y.getPixelForValue(one.y) - top) || 0;
      found.sort((a, b) => a.away - b.away);
      this.pick(found, left);
    },

    // What each run's line has next to a place of the x axis.
    around(place) {
      const { min, max } = this.chart.scales.x;
      return this.chart.data.datasets
        .filter(({ share }) => share === 1)
        .map(({ run, data }) => ({ run, ...data[nearest(data, place)] }))
        .filter(({ x, y }) => Number.isFinite(y) && x >= min && x <= max);
    },

    pick(found, left) {
      this.cursor = found.length ? { run: found[0].run, x: found[0].x } : null;
      this.listNear(found.slice(0, LISTED), left);
      this.onHover(this.cursor ? this.cursor.run : null);
      this.chart.draw();
    },

    listNear(found, left) {
      this.tip.hidden = !found.length;
      if (!found.length) return;
      const title = document.createElement("p");
      const place = this.place(found[0].x);
      title.textContent = this.settings.x === "step" ? say("step", { step: place || found[0].x }) : place;
      const rows = found.map(({ run, y }) => {
        const row = document.createElement("li");
        const [mark, name, value] = ["i", "span", "b"].map((tag) => document.createElement(tag));
        mark.dataset.colour = this.runs.get(run).colour % 10;
        name.textContent = this.runs.get(run).name;
        value.textContent = number(y);
        row.append(mark, name, value);
        return row;
      });
      const list = document.createElement("ul");
      list.append(...rows);
      this.tip.replaceChildren(title, list);
      // Beside the pointer where there is more room, and never out of the plot.
      const [room, width] = [this.area.clientWidth, this.tip.offsetWidth];
      const beside = left > room / 2 ? left - 14 - width : left + 14;
      this.tip.style.left = `${Math.max(0, Math.min(beside, room - width))}px`;
    },

    endDrag(event) {
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      this.area.releasePointerCapture(event.pointerId);
      if (Math.abs(drag.to - drag.from) < LEAST_DRAG) {
        this.chart.draw();
        return;
      }
      const { x } = this.chart.scales;
      this.zoomTo([drag.from, drag.to].map((left) => x.getValueForPixel(left)).sort((a, b) => a - b));
    },

    leave() {
      this.drag = null;
      this.cursor = null;
      this.tip.hidden = true;
      this.onHover(null);
      this.chart.draw();
    },

    zoomTo(range) {
      this.zoom = range;
      this.reset.hidden = !range;
      this.scale();
      this.chart.update("none");
      this.onZoom();
    },

    // --- the keyboard ---------------------------------------------------------------------------------------------------

    press(event) {
      const act = {
        ArrowLeft: () => this.step(-1),
        ArrowRight: () => this.step(1),
        ArrowUp: () => this.change(-1),
        ArrowDown: () => this.change(1),
        "+": () => this.closer(0.5),
        "=": () => this.closer(0.5),
        "-": () => this.closer(2),
        0: () => this.zoomTo(null),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    },

    step(direction) {
      const { min, max } = this.chart.scales.x;
      const place = this.cursor ? this.cursor.x + (direction * (max - min)) / STRIDES : direction > 0 ? min : max;
      this.go(this.cursor?.run, Math.min(Math.max(place, min), max));
    },

    change(direction) {
      const lines = this.chart.data.datasets.filter(({ share }) => share === 1);
      const now = lines.findIndex(({ run }) => run === this.cursor?.run);
      const next = lines[(now + direction + lines.length) % lines.length];
      if (next) this.go(next.run, this.cursor ? this.cursor.x : this.chart.scales.x.min);
    },

    go(run, place) {
      const found = this.around(place);
      found.sort((a, b) => (b.run === run) - (a.run === run));
      if (!found.length) return;
      // Where points are far apart the cursor goes on all the same.
      this.pick(found, this.chart.scales.x.getPixelForValue(found[0].x));
      this.cursor.x = place;
      const [{ run: near, x, y }] = found;
      this.onSay(say("read", { run: this.runs.get(near).name, value: number(y), place: this.place(x) || x }));
    },

    closer(factor) {
      const { min, max } = this.chart.scales.x;
      const middle = this.cursor ? this.cursor.x : (min + max) / 2;
      const half = ((max - min) * factor) / 2;
      this.zoomTo(factor > 1 && !this.zoom ? null : [middle - half, middle + half]);
    },
  });
})();
