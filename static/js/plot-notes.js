// What a plot says in words: which automations watch its metric, and its last values as a table.
(() => {
  "use strict";

  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  const watching = (figure, marks) => {
    const line = figure.querySelector(".plot-watch");
    line.hidden = !marks.watching.length;
    const links = marks.watching.map(({ name, url, text }) => make("a", name, { href: url, title: text }));
    line.replaceChildren(`${say("watched")} `, ...links.flatMap((link, i) => (i ? [", ", link] : [link])));
  };

  const head = (names) => {
    const row = make("tr");
    row.append(...names.map((name, i) => make("th", name, { scope: "col", ...(i && { class: "number" }) })));
    const part = make("thead");
    part.append(row);
    return part;
  };

  const lastOf = (curve) => {
    const last = curve.y[curve.y.length - 1];
    return last === null || last === undefined ? say("odd") : MetricPlot.number(last);
  };

  const values = (figure, { curves, runs, marks }) => {
    const rows = [...curves].map(([run, curve]) => {
      const row = make("tr");
      row.append(
        make("td", runs.get(run).name, { class: "main break" }),
        make("td", lastOf(curve), { class: "number", "data-label": say("last_value") }),
        make("td", curve.count.toLocaleString(), { class: "number", "data-label": say("values") }),
        make("td", curve.not_finite.toLocaleString(), { class: "number", "data-label": say("odd") }),
      );
      return row;
    });
    const body = make("tbody");
    body.append(...rows);
    const title = say("last_values", { metric: figure.dataset.metric });
    const table = make("table", undefined, { class: "table" });
    table.append(make("caption", title), head(["run", "last_value", "values", "odd"].map((name) => say(name))), body);
    const firings = marks.firings.filter(({ run }) => curves.has(run)).map(({ run, name, url, step, text }) => {
      const item = make("li");
      const [before, after] = say("fired", { run: runs.get(run).name, step, text, name: "\0" }).split("\0");
      item.append(before, make("a", name, { href: url }), after);
      return item;
    });
    const list = make("ul", undefined, { class: "secondary" });
    list.append(...firings);
    const wrap = make("div", undefined, { class: "table-wrap", tabindex: "0", role: "region", "aria-label": title });
    wrap.append(table);
    figure.querySelector(".plot-table").replaceChildren(wrap, ...(firings.length ? [list] : []));
  };

  // What the lines do not show: `beyond` is the value farthest out of the plot, or null.
  const gaps = (figure, { curves }, beyond = null) => {
    const odd = [...curves.values()].reduce((sum, curve) => sum + curve.not_finite, 0);
    const said = curves.size ? [] : [say("no_points")];
    if (odd) said.push(sayCount("gaps", odd));
    if (beyond !== null) said.push(say("beyond", { value: MetricPlot.number(beyond) }));
    const note = figure.querySelector(".plot-odd");
    note.hidden = !said.length;
    note.textContent = said.join(" ");
  };

  window.PlotNotes = {
    watching,
    gaps,
    write(figure, drawn, beyond) {
      watching(figure, drawn.marks);
      if (figure.querySelector(".plot-values").open) values(figure, drawn);
      gaps(figure, drawn, beyond);
    },
  };
})();
