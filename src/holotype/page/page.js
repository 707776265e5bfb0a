(function () {
  "use strict";
  const root = document.documentElement;
  const all = (query, inside) => Array.from((inside || document).querySelectorAll(query));
  const specs = new Map();

  // Colours are named by the style sheet, so that light, dark and print each have their own.
  let palette = {};
  function colour(name) {
    if (!(name in palette)) palette[name] = getComputedStyle(root).getPropertyValue(name).trim();
    return palette[name];
  }
  function coloured(value) {
    if (typeof value === "string") {
      const named = /^var\((--[a-z0-9-]+)\)$/.exec(value);
      return (named && colour(named[1])) || value;
    }
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one)]));
    }
    return value;
  }
  function dressed(layout) {
    const ink = colour("--ink");
    const common = {
      autosize: true, dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colour("--sans"), size: 12.5, color: ink },
      hoverlabel: {
        bgcolor: colour("--raised"), bordercolor: colour("--grey"), align: "left",
        font: { family: colour("--sans"), size: 13, color: ink },
      },
    };
    const found = Object.assign(common, layout);
    for (const name of Object.keys(found)) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const axis = found[name];
      found[name] = Object.assign(
        { gridcolor: colour("--grid"), zerolinecolor: colour("--grey"), linecolor: colour("--line"), fixedrange: true },
        axis,
        axis.title ? { title: Object.assign({ standoff: 8, font: { size: 12.5, color: colour("--dim") } }, axis.title) } : {},
      );
    }
    return found;
  }

  function specOf(figure) {
    if (!specs.has(figure.id)) {
      specs.set(figure.id, JSON.parse(document.getElementById(figure.id + "-spec").textContent));
    }
    return specs.get(figure.id);
  }

  // The map: the commonest names have colours, then symbols change, the others are grey.
  const HUES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
  const SYMBOLS = ["circle", "diamond", "square"];
  function names(spec, row) {
    const found = spec.columns.map((column) => (column.codes[row] < 0 ? "" : column.names[column.codes[row]]));
    const label = spec.titles.indexOf("label");
    const wide = found.filter((name, at) => name && at !== label);
    const lines = [];
    for (let at = 0; at < wide.length; at += 3) lines.push(wide.slice(at, at + 3).join(", "));
    return (label < 0 || !found[label] ? [] : ["<b>" + found[label] + "</b>"]).concat(lines).join("<br>");
  }
  function mapOf(spec) {
    const column = spec.columns[Number(document.getElementById("map-by").value)];
    const shown = Math.min(spec.coloured, column.names.length);
    const groups = new Map();
    column.codes.forEach((code, row) => {
      const key = code < 0 ? "none" : code < shown ? code : "other";
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    });
    const rest = column.names.length - shown;
    const keys = ["none", "other", ...Array(shown).keys()].filter((key) => groups.has(key));
    const data = keys.map((key) => {
      const rows = groups.get(key);
      const grey = key === "none" || key === "other";
      const name = key === "none" ? "no name" : key === "other" ? rest + " other names" : column.names[key];
      return {
        type: "scatter", mode: "markers", name: name + " (" + rows.length + ")",
        x: rows.map((row) => spec.x[row]), y: rows.map((row) => spec.y[row]),
        text: rows.map((row) => names(spec, row)), hoverinfo: "text",
        marker: {
          color: colour(grey ? "--other" : HUES[key % HUES.length]), opacity: grey ? 0.6 : 0.85,
          symbol: key === "none" ? "x-thin-open" : grey ? "circle" : SYMBOLS[Math.floor(key / HUES.length) % SYMBOLS.length],
          size: grey ? 6 : 7.5, line: { width: 0.5, color: colour(key === "none" ? "--other" : "--paper") },
        },
      };
    });
    const bare = { showgrid: false, zeroline: false, showticklabels: false, ticks: "", showline: false, fixedrange: false };
    const layout = {
      showlegend: false, dragmode: window.innerWidth < 700 ? false : "zoom",
      margin: { l: 4, r: 4, t: 4, b: 4 }, xaxis: bare,
      yaxis: Object.assign({ scaleanchor: "x" }, bare),
    };
    return { data, layout };
  }

  // The names of the map are buttons, so that the keyboard reaches them.
  const SHAPES = {
    circle: "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0Z", diamond: "M0-6.5 6.5 0 0 6.5-6.5 0Z",
    square: "M-5-5H5V5H-5Z", "x-thin-open": "M-5-5 5 5M5-5-5 5",
  };
  function listNames(figure, data) {
    const list = document.getElementById("map-legend");
    list.replaceChildren();
    const order = data.map((_, at) => at);
    const named = (at) => (data[at].marker.size < 7 ? 1 : 0);
    order.sort((a, b) => named(a) - named(b) || a - b);
    for (const at of order) {
      const marker = data[at].marker;
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const word = document.createElement("span");
      word.innerHTML = data[at].name; // escaped when the page was written
      button.innerHTML = '<svg viewBox="-8 -8 16 16" aria-hidden="true"><path/></svg>';
      const path = button.querySelector("path");
      path.setAttribute("d", SHAPES[marker.symbol]);
      path.setAttribute("fill", marker.color);
      path.setAttribute("stroke", marker.symbol === "x-thin-open" ? marker.color : "none");
      button.append(word);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        Plotly.restyle(figure, { visible: shown }, [at]);
      });
      item.append(button);
      list.append(item);
    }
  }
  function addSave(figure) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    button.textContent = "Save SVG";
    button.addEventListener("click", () => {
      const several = figure.data.length > 1;
      const saved = { data: figure.data, layout: Object.assign({}, figure.layout, { showlegend: several }) };
      const width = figure.clientWidth + (several ? 180 : 0);
      Plotly.downloadImage(saved, { format: "svg", filename: figure.id, width, height: figure.clientHeight });
    });
    figure.closest("figure").append(button);
  }
  function draw(figure) {
    const spec = specOf(figure);
    const made = figure.classList.contains("map") ? mapOf(spec) : coloured(spec);
    const wanted = {
      displaylogo: false, displayModeBar: false, responsive: true, showTips: false,
      showSendToCloud: false, plotlyServerURL: "",
    };
    Plotly.react(figure, made.data, dressed(made.layout), wanted);
    if (!figure.dataset.drawn) addSave(figure);
    if (figure.classList.contains("map")) listNames(figure, made.data);
    figure.dataset.drawn = "yes";
  }
  const visible = (figure) => !figure.closest(".panel.off");
  function drawAll() {
    palette = {};
    for (const figure of all(".plot")) if (visible(figure) || figure.dataset.drawn) draw(figure);
  }

  // Panels: the selectors together name the one that is shown.
  for (const choice of all(".choice")) {
    const selects = all("select", choice);
    const show = () => {
      const key = selects.map((one) => one.value).join("-");
      for (const panel of all(".panel", choice)) panel.classList.toggle("off", panel.dataset.key !== key);
      for (const figure of all(".panel:not(.off) .plot", choice)) {
        if (figure.dataset.drawn) Plotly.Plots.resize(figure); else draw(figure);
      }
    };
    selects.forEach((one) => one.addEventListener("change", show));
  }
  const by = document.getElementById("map-by");
  if (by) by.addEventListener("change", () => draw(document.getElementById("plot-map")));

  // Tables: a heading sorts, numbers by value, a dash always last.
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table);
    heads.forEach((head, at) => {
      head.querySelector("button").addEventListener("click", () => {
        const words = head.classList.contains("word");
        const before = head.getAttribute("aria-sort");
        const up = before === "none" ? words : before === "descending";
        heads.forEach((one) => one.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (row) => {
          const text = row.cells[at].firstChild ? row.cells[at].firstChild.textContent.trim() : "";
          if (text === "–" || text === "") return null;
          return words ? text : Number(text.replace(/\s/g, ""));
        };
        const rows = all("tbody tr", table).map((row) => [value(row), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          const order = words ? a.localeCompare(b, "en") : a - b;
          return up ? order : -order;
        });
        rows.forEach(([, row]) => table.tBodies[0].append(row));
      });
    });
  }
  for (const box of all("input[data-table]")) {
    const rows = all("tbody tr", document.getElementById(box.dataset.table));
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        if (!row.hidden) shown += 1;
      }
      document.getElementById(box.id + "-count").textContent = shown + " of " + rows.length + " " + (box.dataset.noun || "labels");
    });
  }

  // Contents: the section in view is marked.
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((seen) => {
    for (const one of seen) {
      if (!one.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(one.target.id);
      link.setAttribute("aria-current", "true");
      const list = link.closest("ol");
      if (list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.clientWidth / 3;
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  all("main > section").forEach((section) => watch.observe(section));

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => { root.classList.add("printing"); drawAll(); });
  addEventListener("afterprint", () => { root.classList.remove("printing"); drawAll(); });
})();
