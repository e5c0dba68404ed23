/** Light or dark: as the system has it, unless the editor chose; the choice is kept by the studio. */

import { settings } from "./settings.js";
import { store } from "./store.js";

/** Choices of an editor, with their names. */
export const THEMES = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]];

// The choice of this browser's last visit: the page has it before the studio is asked.
const KEPT = "mnemoreel:theme";
const light = matchMedia("(prefers-color-scheme: light)");

/** What the editor chose: system, light or dark. */
export function chosenTheme() {
  return settings.get("theme", localStorage.getItem(KEPT) ?? "system");
}

/** Show the theme that holds now. Canvases are painted again at the topic `theme`. */
function apply() {
  const choice = chosenTheme();
  localStorage.setItem(KEPT, choice);
  const theme = choice === "system" ? (light.matches ? "light" : "dark") : choice;
  if (document.documentElement.dataset.theme === theme) return;
  document.documentElement.dataset.theme = theme;
  store.emit("theme");
}

/** Choose a theme, here and in every window. */
export function chooseTheme(choice) {
  return store.ask(() => settings.put({ theme: choice }));
}

/** Follow the system and the editor's choice from now on. */
export function followTheme() {
  light.addEventListener("change", apply);
  settings.addEventListener("change", apply);
  apply();
}
