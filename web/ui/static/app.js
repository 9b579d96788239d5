// All behaviour of the portals that HTML and htmx do not have. Every page also works without it.
"use strict";

// Violations of the content security policy, for the browser tests.
window.cspViolations = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.cspViolations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
});

// The theme changes at once; without this script the form around the button does it with a round trip.
document.addEventListener("submit", (e) => {
  if (!e.target.matches("[data-theme-form]")) return;
  e.preventDefault();
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax${secure}`;
});

// A select with data-submit acts at once; its button is for those without this script.
document.addEventListener("change", (e) => {
  if (e.target.matches("select[data-submit]")) e.target.form.requestSubmit();
});

// A button with data-copy copies what stands in the field of that id, and selects it.
document.addEventListener("click", (e) => {
  const button = e.target.closest("button[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  navigator.clipboard?.writeText(field.value);
  const live = document.querySelector("#live");
  live.textContent = "";
  live.textContent = button.textContent + " ✓";
});

// A control with data-key is used by that key: a link or button is pressed, a form opens. Nothing happens while somebody is
// typing, or after keys were switched off (WCAG 2.1.4).
const keysOn = () => localStorage.getItem("keys") !== "off";
const typing = (target) => target.closest("select, textarea, dialog[open]:not(#peek), input:not([type=checkbox], [type=radio])");
const firstField = (form) => form.querySelector("form :is(input:not([type=hidden]), select, textarea), form button");
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.key.length !== 1 || !keysOn() || typing(e.target)) return;
  if (rowKey(e.key)) return e.preventDefault();
  const scope = document.querySelector("dialog[open]") ?? document;
  const control = scope.querySelector(`[data-key="${CSS.escape(e.key)}"]`);
  if (!control) return;
  e.preventDefault();
  if (!control.matches("details")) return control.click();
  control.open = true;
  firstField(control)?.focus();
});

// In a list with data-rows, j and k walk through the rows, x ticks one and v shows it. A decision with nothing ticked is about
// the row that one is on.
function rowKey(key) {
  const rows = [...document.querySelectorAll("[data-rows] > tr")];
  if (rows.length === 0) return false;
  const peek = document.querySelector("#peek[open]");
  const row = peek ? rows[peek.dataset.row] : document.activeElement.closest("[data-rows] > tr");
  if (key === "j" || key === "k") {
    const next = rows[row ? rows.indexOf(row) + (key === "j" ? 1 : -1) : 0];
    if (peek) next?.querySelector("[data-peek]").click();
    else next?.querySelector("th a").focus();
    return true;
  }
  if (!row || peek) return false;
  const tick = row.querySelector("input[type=checkbox]");
  if (key === "x") return tick?.click() ?? true;
  if (key === "v") return row.querySelector("[data-peek]").click() ?? true;
  if (tick && document.querySelector(`.bulk [data-key="${CSS.escape(key)}"]`) && !document.querySelector(".bulk #all:checked, [data-rows] input:checked")) tick.checked = true;
  return false;
}

// What is ticked in a list is counted and summed up.
document.addEventListener("change", (e) => {
  if (e.target.matches("[data-tick-all]")) for (const box of document.querySelectorAll("[data-rows] input[type=checkbox]")) box.checked = e.target.checked;
  const told = document.querySelector("[data-selected]");
  if (!told || !e.target.matches("[data-tick-all], [data-rows] input")) return;
  told.dataset.none ??= told.textContent;
  const ticked = document.querySelectorAll("[data-rows] input:checked");
  const sums = {};
  for (const box of ticked) sums[box.dataset.currency] = (sums[box.dataset.currency] ?? 0) + Number(box.dataset.amount);
  const money = Object.entries(sums).map(([currency, sum]) => new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency }).format(sum));
  told.textContent = ticked.length === 0 ? told.dataset.none : told.dataset.selected.replace("#", ticked.length) + " · " + money.join(" + ");
});

document.addEventListener("change", (e) => {
  if (e.target.matches("[data-keys]")) localStorage.setItem("keys", e.target.checked ? "on" : "off");
});

// A button with data-open opens the dialog of that id.
document.addEventListener("click", (e) => {
  const dialog = document.getElementById(e.target.closest("button[data-open]")?.dataset.open);
  if (!dialog) return;
  for (const box of dialog.querySelectorAll("[data-keys]")) box.checked = keysOn();
  const row = e.target.closest("[data-rows] > tr");
  if (row) dialog.dataset.row = [...row.parentNode.children].indexOf(row);
  if (!dialog.open) dialog.showModal();
});

// Controls that only stand in for missing script.
document.documentElement.classList.add("js");

// A summary of errors is read first; a form that a page was opened for is at hand.
const focusErrors = () => document.querySelector(".error-summary")?.focus();
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("details[name=decision][open]");
  if (form) firstField(form)?.focus();
  focusErrors();
});

// After a swap the focus stays where the person was: on the control of the same id, else on the region that changed. htmx
// itself keeps the former; without the latter the focus would fall back to the top of the page. Event names of 2 and 4.
for (const name of ["htmx:afterSettle", "htmx:after:swap"]) {
  document.addEventListener(name, () => {
    focusErrors();
    if (document.activeElement === document.body) document.querySelector("#result")?.focus({ preventScroll: true });
  });
}

// A request that failed leaves the page as it was and says so. Names of 2 and 4.
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:response:error", "htmx:error"]) {
  document.addEventListener(name, () => {
    const message = document.querySelector("#failure");
    if (message) message.hidden = false;
  });
}
for (const name of ["htmx:beforeRequest", "htmx:before:request"]) {
  document.addEventListener(name, () => {
    const message = document.querySelector("#failure");
    if (message) message.hidden = true;
  });
}
