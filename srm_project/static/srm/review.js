// The reviewer's desk: keys, reasons offered, and a button that says what it will do,
// there and where several submissions are decided at once.
// Without this script both work as links and one form.
"use strict";

const KEYS_OFF = "srm-review-keys-off";
const desk = document.querySelector("[data-desk]");
const form = document.querySelector("[data-decision]");

if (desk && form) {
  const boxes = [...form.querySelectorAll('input[type="checkbox"][data-label]')];
  const common = form.querySelector("#reason");
  const button = form.querySelector("[data-verdict]");
  let lastReason = common;

  const named = (list) => list.map((box) => box.dataset.label).join(", ");

  // Says what the button will do with the boxes as they are.
  const say = () => {
    const accepted = boxes.filter((box) => box.checked);
    const rejected = boxes.filter((box) => !box.checked);
    let words = `Accept ${boxes.length} controls`;
    if (boxes.length === 1) words = `Accept ${named(boxes)}`;
    if (!accepted.length) words = `Reject ${named(rejected)}`;
    else if (rejected.length) {
      const many = accepted.length > 2 ? `${accepted.length} controls` : named(accepted);
      words = `Accept ${many}, reject ${named(rejected)}`;
    }
    button.textContent = words;
  };

  for (const box of boxes) {
    box.addEventListener("change", () => {
      say();
      const own = box.closest("li").querySelector("textarea");
      if (!box.checked && boxes.length > 1) lastReason = own;
    });
  }
  for (const area of form.querySelectorAll("textarea")) {
    area.addEventListener("focus", () => (lastReason = area));
  }

  const offered = form.querySelector(".reasons-offered");
  offered.hidden = false;
  for (const reason of offered.querySelectorAll("[data-reason]")) {
    reason.addEventListener("click", () => {
      const area = lastReason.offsetParent ? lastReason : common;
      area.value = area.value ? `${area.value.trimEnd()} ${reason.textContent}` : reason.textContent;
      area.focus();
    });
  }

  // One letter each, as WCAG 2.1.4 asks with a way to turn them off.
  const steps = {
    j: () => form.querySelector("[data-next]")?.click(),
    k: () => form.querySelector("[data-previous]")?.click(),
    a: () => {
      boxes.forEach((box) => (box.checked = true));
      say();
      button.focus();
    },
    r: () => {
      boxes.forEach((box) => (box.checked = false));
      say();
      common.focus();
    },
  };
  const bar = document.createElement("p");
  bar.className = "keys";
  const hint = document.createElement("span");
  const turn = document.createElement("button");
  turn.type = "button";
  turn.className = "quiet";
  bar.append(hint, turn);
  desk.before(bar);
  const kept = (value) => {
    try {
      if (value !== undefined) localStorage.setItem(KEYS_OFF, value);
      return localStorage.getItem(KEYS_OFF);
    } catch {
      return null; // storage is switched off in this browser
    }
  };
  let off = kept() === "yes";
  const show = () => {
    hint.innerHTML = "";
    const pairs = { J: "next", K: "previous", A: "tick all", R: "reject: type why" };
    for (const [key, what] of off ? [] : Object.entries(pairs)) {
      const mark = document.createElement("kbd");
      mark.textContent = key;
      hint.append(mark, ` ${what} `);
    }
    turn.textContent = off ? "Turn the keys on" : "Turn the keys off";
  };
  turn.addEventListener("click", () => {
    off = !off;
    kept(off ? "yes" : "no");
    show();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("textarea, select, input:not([type=checkbox]), [contenteditable]");
    if (off || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = steps[event.key.toLowerCase()];
    if (!step) return;
    event.preventDefault();
    step();
  });
  show();
  say();
}

const several = document.querySelector("[data-several]");

if (several) {
  const button = several.querySelector("[data-record]");
  const count = () => {
    const chosen = several.querySelectorAll('[name^="decision-"]:not([value=""]):checked').length;
    if (!chosen) button.textContent = "Record the decisions";
    else button.textContent = chosen === 1 ? "Record 1 decision" : `Record ${chosen} decisions`;
  };
  several.addEventListener("change", count);
  count();
}
