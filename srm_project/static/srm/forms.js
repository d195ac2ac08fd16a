// A page that one goes back to is fetched anew, and its forms get new tokens. Its place
// in the history keeps those it had: a form that was sent is then known as the same form.
"use strict";
(() => {
  const met = new Map();
  const tokens = {};
  const fields = document.querySelectorAll("input[name=form_token]");
  const way = performance.getEntriesByType("navigation")[0]?.type;
  const kept = (way === "back_forward" && history.state?.formTokens) || {};
  for (const field of fields) {
    const address = field.form?.action ?? "";
    const number = met.get(address) ?? 0;
    met.set(address, number + 1);
    const name = `${number} ${address}`;
    field.value = kept[name] ?? field.value;
    tokens[name] = field.value;
  }
  if (fields.length) {
    history.replaceState({ ...history.state, formTokens: tokens }, "");
  }
})();
