"use strict";
// Draw the charts in the colours of the page's scheme, again when it changes, and let legends toggle.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const fine = window.matchMedia("(pointer: fine)");

  // "@role" becomes the value of the CSS variable --role.
  const paint = (value, style) => {
    if (typeof value === "string") {
      return value.startsWith("@") ? style.getPropertyValue("--" + value.slice(1)).trim() : value;
    }
    if (Array.isArray(value)) {
      return typeof value[0] === "number" ? value : value.map((item) => paint(item, style));
    }
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, paint(item, style)]),
    );
  };

  const config = { displayModeBar: false, responsive: true, showTips: false, doubleClick: "reset" };

  const draw = (name) => {
    const style = getComputedStyle(document.documentElement);
    const chart = charts[name];
    // A finger scrolls the page; a mouse may select a span of time to look closer.
    const layout = { ...paint(chart.layout, style), dragmode: fine.matches ? "zoom" : false };
    layout.uirevision = name;
    return Plotly.react(name, paint(chart.traces, style), layout, config);
  };

  const drawAll = () => Object.keys(charts).forEach(draw);

  for (const button of document.querySelectorAll("button[data-traces]")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      for (const place of JSON.parse(button.dataset.traces)) {
        charts[button.dataset.chart].traces[place].visible = shown;
      }
      draw(button.dataset.chart);
    });
  }

  dark.addEventListener("change", drawAll);
  drawAll();
})();
