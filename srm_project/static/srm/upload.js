// Drag and drop, pasted screenshots and a progress bar for forms marked data-upload.
// Without this script the form works as a form.
"use strict";

for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector('input[type="file"]');
  const buttons = form.querySelectorAll('button[type="submit"]');
  const enable = (yes) => buttons.forEach((each) => (each.disabled = !yes));
  const limit = Number(form.dataset.limit);
  const area = document.createElement("div");
  area.className = "drop";
  const hint = document.createElement("p");
  hint.textContent = "Drop files here, or paste a screenshot (Ctrl+V).";
  const list = document.createElement("ul");
  list.setAttribute("aria-label", "Files to upload");
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  const bar = document.createElement("progress");
  bar.max = 100;
  bar.hidden = true;
  bar.setAttribute("aria-label", "Upload");
  area.append(hint, list);
  input.after(area);
  buttons[buttons.length - 1].after(bar, status);

  const size = (bytes) =>
    bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  // Shows what is chosen; each file can be taken out again.
  const show = () => {
    list.replaceChildren();
    let total = 0;
    [...input.files].forEach((file, index) => {
      total += file.size;
      const row = document.createElement("li");
      row.textContent = `${file.name} (${size(file.size)}) `;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "quiet";
      remove.textContent = "Remove";
      remove.setAttribute("aria-label", `Remove ${file.name}`);
      remove.addEventListener("click", () => {
        keep([...input.files].filter((_, other) => other !== index));
        input.focus();
      });
      row.append(remove);
      list.append(row);
    });
    const tooMuch = total > limit;
    status.textContent = tooMuch ? `Together more than ${size(limit)}: take some out.` : "";
    input.setCustomValidity(tooMuch ? status.textContent : "");
  };

  const keep = (files) => {
    const chosen = new DataTransfer();
    files.forEach((file) => chosen.items.add(file));
    input.files = chosen.files;
    show();
  };

  const add = (files) => keep([...input.files, ...files]);

  input.addEventListener("change", show);
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    area.addEventListener(name, () => area.classList.remove("over"));
  }
  // Beside the area too: the browser would show the file and lose what was typed.
  const holdsFiles = (event) => [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) =>
      ["image/png", "image/jpeg"].includes(file.type),
    );
    if (!pictures.length) return;
    event.preventDefault();
    const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    add(
      pictures.map((file, index) => {
        const ending = file.type === "image/png" ? "png" : "jpg";
        const number = index ? `-${index + 1}` : "";
        const name = `screenshot-${moment}${number}.${ending}`;
        return new File([file], name, { type: file.type });
      }),
    );
    status.textContent = "The screenshot was added.";
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action || window.location.href);
    // A redirect would be followed unseen, and eat the words meant for the next page.
    request.setRequestHeader("X-Upload-Script", "1");
    request.upload.addEventListener("progress", (part) => {
      if (!part.lengthComputable) return;
      bar.value = Math.floor((100 * part.loaded) / part.total);
      status.textContent =
        part.loaded < part.total ? `${bar.value} % sent` : "All sent; being checked.";
    });
    const stop = (sentence) => {
      bar.hidden = true;
      enable(true);
      status.textContent = sentence;
    };
    request.addEventListener("load", () => {
      if (request.status === 201) {
        window.location.assign(request.getResponseHeader("Location"));
        return;
      }
      if (request.responseURL && request.status === 200) {
        window.location.assign(request.responseURL);
        return;
      }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      // A form that was submitted before comes with the token of another one.
      const fresh = answer.querySelector('input[name="form_token"]');
      if (fresh && form.elements.form_token) form.elements.form_token.value = fresh.value;
      const said = answer.querySelectorAll(".notice-error, .errorlist, .error, main > p");
      const words = [...said].map((each) => each.textContent.trim()).filter(Boolean);
      stop([...new Set(words)].join(" ") || "That did not work. Nothing was stored.");
      status.classList.add("error");
      status.tabIndex = -1;
      status.focus();
    });
    request.addEventListener("error", () =>
      stop("The connection broke off. Nothing was stored; try again."),
    );
    // Before the buttons are disabled: the one pressed says whether it is a draft.
    const said = new FormData(form);
    if (event.submitter?.name) said.append(event.submitter.name, event.submitter.value);
    enable(false);
    bar.hidden = false;
    bar.value = 0;
    status.classList.remove("error");
    request.send(said);
  });
  show();
}
