// The texts that scripts show, in the language of the page. Elements hand them over as `data-texts` (projects/scripttexts.py).
//
//   say("dismiss")                      the text of this name
//   say("step", { step: 3 })            with values filled in
//   sayCount("gaps", 1, { … })          the text for so many things, which are its {count}
(() => {
  "use strict";

  const known = {};

  const learn = () => {
    for (const element of document.querySelectorAll("[data-texts]")) Object.assign(known, JSON.parse(element.dataset.texts));
  };

  window.say = (name, values = {}) => {
    if (!(name in known)) learn();
    return known[name].replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
  };

  window.sayCount = (name, count, values = {}) => {
    const shown = { ...values, count: count.toLocaleString(document.documentElement.lang) };
    return say(count === 1 ? `${name}_one` : name, shown);
  };
})();
