// What a zoomed plot shows in detail: of runs that logged more than a curve holds, the stretch in view is asked for once more.
//
//   CloseUp.look(figure, plot, { address, runs, curves, redraw })   asks for what is missing, and redraws when it is there
//   CloseUp.merged(figure, plot, curves, runs)                      the curves, in detail where that is known
(() => {
  "use strict";

  const AFTER = 150; // while somebody goes on zooming, nothing is asked
  const RUNS_A_REQUEST = 20;
  const HELD = 256; // a curve of no more values holds them all

  const known = new WeakMap(); // figure → {key, range, curves: Map(run → curve), stop}

  const keyOf = ({ x, from, to }, curves) => JSON.stringify([x, from, to, [...curves].map(([run, { count }]) => [run, count])]);

  const fetched = async (address, metric, { x, from, to }, runs, signal) => {
    const query = new URLSearchParams([["metric", metric], ["x", x], ["from", from], ["to", to], ...runs.map((run) => ["run", run])]);
    const response = await fetch(`${address}?${query}`, { headers: { Accept: "application/json" }, signal });
    if (!response.ok) throw new Error(String(response.status));
    return (await response.json()).curves;
  };

  const look = (figure, plot, { address, curves, redraw }) => {
    const range = plot.range();
    const before = known.get(figure);
    if (!range) {
      before?.stop.abort();
      known.delete(figure);
      delete figure.dataset.closeUp;
      return;
    }
    const coarse = new Map([...curves].filter(([, { count }]) => count > HELD));
    const key = keyOf(range, coarse);
    if (before?.key === key) return;
    before?.stop.abort();
    const stop = new AbortController();
    const found = { key, range, curves: new Map(), stop };
    known.set(figure, found);
    setTimeout(async () => {
      const runs = [...coarse.keys()];
      try {
        for (let i = 0; i < runs.length && !stop.signal.aborted; i += RUNS_A_REQUEST) {
          const some = await fetched(address, figure.dataset.metric, range, runs.slice(i, i + RUNS_A_REQUEST), stop.signal);
          for (const curve of some) found.curves.set(curve.run, curve);
        }
      } catch {
        return; // the plot is right without it, only coarser; or somebody zoomed on
      }
      if (stop.signal.aborted) return;
      figure.dataset.closeUp = found.curves.size;
      redraw();
    }, AFTER);
  };

  const one = (coarse, fine, { from, to }, begin) => {
    const x = [];
    const y = [];
    const take = (curve, shift, within) => curve.x.forEach((place, i) => {
      if (within(place + shift)) x.push(place + shift), y.push(curve.y[i]);
    });
    take(coarse, 0, (place) => place < from + begin);
    take(fine, begin, () => true);
    take(coarse, 0, (place) => place > to + begin);
    return { ...coarse, x, y };
  };

  const merged = (figure, plot, curves, runs) => {
    const range = plot?.range();
    const found = known.get(figure);
    if (!range || !found || found.range.x !== range.x || found.range.from !== range.from || found.range.to !== range.to) return curves;
    return new Map([...curves].map(([run, coarse]) => {
      const fine = found.curves.get(run);
      const begin = range.x === "relative" ? runs.get(run).started : 0;
      return [run, fine ? one(coarse, fine, range, begin) : coarse];
    }));
  };

  window.CloseUp = { look, merged };
})();
