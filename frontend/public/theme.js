// Runs before the first paint, so that a page in the chosen theme never flashes in the other.
(function () {
  try {
    var chosen = localStorage.getItem("eqtrade.theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be blocked; the system's own preference then decides.
  }
})();
