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
const typing = (target) => target.closest("select, textarea, dialog[open], input:not([type=checkbox], [type=radio])");
const firstField = (form) => form.querySelector("form :is(input:not([type=hidden]), select, textarea), form button");
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.key.length !== 1 || !keysOn() || typing(e.target)) return;
  const control = document.querySelector(`[data-key="${CSS.escape(e.key)}"]`);
  if (!control) return;
  e.preventDefault();
  if (!control.matches("details")) return control.click();
  control.open = true;
  firstField(control)?.focus();
});
document.addEventListener("change", (e) => {
  if (e.target.matches("[data-keys]")) localStorage.setItem("keys", e.target.checked ? "on" : "off");
});

// A button with data-open opens the dialog of that id.
document.addEventListener("click", (e) => {
  const dialog = document.getElementById(e.target.closest("button[data-open]")?.dataset.open);
  if (!dialog) return;
  for (const box of dialog.querySelectorAll("[data-keys]")) box.checked = keysOn();
  dialog.showModal();
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
