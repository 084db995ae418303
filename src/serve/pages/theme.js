// Runs before anything is painted, so that a chosen theme does not flash.
(() => {
  try {
    const theme = localStorage.getItem("tcrops-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // storage is turned off: the system's theme it is
  }
})();
