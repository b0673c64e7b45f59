// Runs before the first paint, so that a page in the chosen colours never flashes in others.
(function () {
  try {
    var chosen = localStorage.getItem("eqtrade.theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
    if (localStorage.getItem("eqtrade.palette") === "blue")
      document.documentElement.dataset.palette = "blue";
  } catch {
    // Storage may be blocked; the system's own preference then decides.
  }
})();
