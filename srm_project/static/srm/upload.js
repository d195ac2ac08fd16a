// For forms marked data-upload: files are dropped, pasted or chosen one by one or as a
// folder, listed, and sent with a progress bar. A refusal comes back into the page with
// what was typed and chosen. Without this script the form works as a form.
"use strict";

(() => {
  const SKIPPED = /^(\.|Thumbs\.db$|desktop\.ini$)/; // what folders hold besides

  const known = new WeakMap(); // form -> what can be done with it
  let current = null; // the form prepared last: what is dropped elsewhere goes there
  const formAt = (node) => known.get(node?.closest?.("form[data-upload]"));

  const size = (bytes) => {
    if (bytes < 1e3) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
    if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
    const [unit, of] = bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
    return `${(bytes / of).toFixed(1).replace(/\.0$/, "")} ${unit}`;
  };
  const files = (number) => `${number} ${number === 1 ? "file" : "files"}`;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  // All files of what was dropped, those of folders too.
  const filesOf = async (transfer) => {
    const entries = [...transfer.items]
      .map((item) => item.webkitGetAsEntry?.())
      .filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
    const found = [];
    const walk = async (entry) => {
      if (SKIPPED.test(entry.name)) return;
      if (entry.isFile) {
        found.push(await new Promise((done, fail) => entry.file(done, fail)));
        return;
      }
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, fail) => reader.readEntries(done, fail));
        if (!some.length) return;
        for (const each of some) await walk(each);
      }
    };
    for (const entry of entries) await walk(entry);
    return found;
  };

  const prepare = (form) => {
    const input = form.querySelector('input[type="file"][multiple]')
      || form.querySelector('input[type="file"]');
    const limit = Number(form.dataset.limit);
    const most = input.multiple ? Number(form.dataset.mostFiles) || 0 : 1;
    const refused = new Map(); // file -> why it was not accepted
    let zone = input.closest(".dropzone");
    if (!zone) {
      zone = element("div", "dropzone");
      input.before(zone);
      zone.append(element("p"), input);
    }
    const hint = zone.querySelector("[data-drop-hint]") ?? zone.querySelector("p");
    hint.textContent = input.multiple
      ? "Drop files or a folder here, or paste a screenshot."
      : "Drop the file here.";
    const list = element("ul", "files");
    list.setAttribute("aria-label", "Files chosen");
    const total = element("p", "hint");
    total.setAttribute("role", "status");
    zone.after(list, total);
    const folder = element("input");
    folder.type = "file";
    folder.webkitdirectory = true;
    folder.hidden = true;
    const chooseFolder = element("button", "quiet small", "Choose a folder");
    chooseFolder.type = "button";
    chooseFolder.addEventListener("click", () => folder.click());
    folder.addEventListener("change", () => {
      add([...folder.files].filter((file) => !SKIPPED.test(file.name)));
      folder.value = "";
    });
    if (input.multiple) zone.append(chooseFolder, folder);
    const buttons = [...form.elements].filter((each) => each.type === "submit");
    const status = element("p");
    status.setAttribute("role", "status");
    const bar = element("progress");
    bar.max = 100;
    bar.hidden = true;
    bar.setAttribute("aria-label", "Upload");
    buttons[buttons.length - 1].after(bar, status);

    const accepted = () => [...input.files].filter((file) => !refused.has(file));

    // Shows what is chosen; each file can be taken out again.
    const show = () => {
      list.replaceChildren();
      [...input.files].forEach((file) => {
        const row = element("li", refused.has(file) ? "bad" : "");
        const remove = element("button", "quiet small", "Remove");
        remove.type = "button";
        remove.append(element("span", "visually-hidden", ` ${file.name}`));
        remove.addEventListener("click", () => {
          keep([...input.files].filter((other) => other !== file));
          input.focus();
        });
        row.append(
          element("span", "name", file.name),
          element("span", "muted", size(file.size)),
          remove,
        );
        if (refused.has(file)) row.append(element("span", "refused", refused.get(file)));
        list.append(row);
      });
      zone.classList.toggle("has-files", input.files.length > 0);
      total.textContent = sentence();
      total.classList.toggle("error", tooMuch() !== "");
      input.setCustomValidity(tooMuch());
    };

    const bytes = () => accepted().reduce((sum, file) => sum + file.size, 0);
    const tooMuch = () => {
      if (bytes() > limit) return `Together more than ${size(limit)}: take some out.`;
      const number = accepted().length;
      if (most && number > most) {
        return most === 1 ? "Choose one file." : `These are ${number} files, at most ${most} go together.`;
      }
      return "";
    };
    const sentence = () => {
      if (!input.files.length) return "";
      const number = accepted().length;
      const left = input.files.length - number;
      const words = `${files(number)}, ${size(bytes())}.`;
      if (!left) return tooMuch() || words;
      return `${words} What was not accepted stays on your machine: ${files(left)}.`;
    };

    const keep = (chosen) => {
      const transfer = new DataTransfer();
      chosen.forEach((file) => transfer.items.add(file));
      const before = new Map([...refused].map(([file, why]) => [key(file), why]));
      input.files = transfer.files;
      refused.clear();
      [...input.files].forEach((file) => {
        if (before.has(key(file))) refused.set(file, before.get(key(file)));
      });
      show();
    };
    const key = (file) => `${file.name}/${file.size}/${file.lastModified}`;
    const add = (more) => keep([...input.files, ...more]);

    input.addEventListener("change", () => {
      refused.clear();
      show();
    });
    for (const name of ["dragenter", "dragover"]) {
      zone.addEventListener(name, () => zone.classList.add("over"));
    }
    for (const name of ["dragleave", "drop"]) {
      zone.addEventListener(name, () => zone.classList.remove("over"));
    }

    // Puts what the server wrote in the place of this page, with the files chosen.
    const takeAnswer = (answer) => {
      const main = answer.querySelector("main");
      const other = main?.querySelector("form[data-upload] input[type=file]");
      if (!other) return false;
      const chosen = [...input.files];
      const listed = form.elements.list?.files;
      const fresh = document.importNode(main, true);
      document.querySelector("main").replaceWith(fresh);
      const made = prepare(fresh.querySelector("form[data-upload]"));
      made.keep(chosen);
      made.mark([...fresh.querySelectorAll(".dropzone")].map((each) => each.parentElement));
      // What is right need not be chosen again; a list that was mended must be.
      const list = fresh.querySelector("form[data-list-is-right] input[name=list]");
      if (list && listed?.length) list.files = listed;
      window.htmx?.process(fresh);
      const kept = fresh.querySelector("[data-files-kept]");
      if (kept && chosen.length === 1) kept.textContent = " So is your file.";
      else if (kept && chosen.length) kept.textContent = ` So are your ${files(chosen.length)}.`;
      if (chosen.length) fresh.querySelectorAll("[data-no-files]").forEach((part) => part.remove());
      document.title = answer.title;
      fresh.querySelector(".error-summary, .warning, .notice-error")?.focus();
      return true;
    };

    // Each file that a sentence names was refused for it.
    const mark = (blocks) => {
      const sentences = blocks
        .flatMap((block) => [...block.querySelectorAll(".field-error p")])
        .map((each) => each.textContent.trim());
      [...input.files].forEach((file) => {
        const why = sentences.find((text) => text.startsWith(`“${file.name}”`));
        if (why) refused.set(file, why);
      });
      show();
    };

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (event.submitter?.name === "find") {
        window.htmx?.trigger(form.elements.q, "search");
        return;
      }
      if (tooMuch()) {
        input.focus();
        return;
      }
      const request = new XMLHttpRequest();
      request.open("POST", form.getAttribute("action") || window.location.href);
      // A redirect would be followed unseen, and eat the words meant for the next page.
      request.setRequestHeader("X-Upload-Script", "1");
      request.upload.addEventListener("progress", (part) => {
        if (!part.lengthComputable) return;
        bar.value = Math.floor((100 * part.loaded) / part.total);
        status.textContent =
          part.loaded < part.total ? `${bar.value} % sent` : "All sent; being checked.";
      });
      const stop = (words) => {
        bar.hidden = true;
        buttons.forEach((each) => (each.disabled = false));
        status.textContent = words;
        status.classList.add("error");
        status.tabIndex = -1;
        status.focus();
      };
      request.addEventListener("load", () => {
        if (request.status === 201) {
          window.location.assign(request.getResponseHeader("Location"));
          return;
        }
        const answer = new DOMParser().parseFromString(request.responseText, "text/html");
        // A page that was opened before somebody signed in again has a token too old.
        const csrf = answer.querySelector('input[name="csrfmiddlewaretoken"]');
        if (csrf) form.elements.csrfmiddlewaretoken.value = csrf.value;
        if (takeAnswer(answer)) return;
        if (request.responseURL && request.status === 200) {
          window.location.assign(request.responseURL);
          return;
        }
        const texts = (selector) => [...answer.querySelectorAll(selector)]
          .map((each) => each.textContent.trim())
          .filter(Boolean);
        const faults = texts(".error-summary li, .field-error p, .notice-error, .error");
        const words = faults.length ? faults : texts("main > p");
        stop([...new Set(words)].join(" ") || "That did not work. Nothing was stored.");
      });
      request.addEventListener("error", () =>
        stop("The connection broke off. Nothing was stored; try again."),
      );
      const sent = new FormData(form);
      sent.delete(input.name);
      accepted().forEach((file) => sent.append(input.name, file));
      // The button pressed says whether it is a draft, or the same again.
      const { name, value } = event.submitter ?? {};
      if (name) sent.append(name, value);
      buttons.forEach((each) => (each.disabled = true));
      bar.hidden = false;
      bar.value = 0;
      status.classList.remove("error");
      request.send(sent);
    });
    show();
    const prepared = { add, keep, mark, status };
    known.set(form, prepared);
    current = prepared;
    return prepared;
  };

  // Beside the area too: the browser would show the file and lose what was typed.
  const holdsFiles = (event) => [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", async (event) => {
    if (!current || !holdsFiles(event)) return;
    event.preventDefault();
    const form = formAt(event.target) ?? current;
    form.add(await filesOf(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) =>
      ["image/png", "image/jpeg"].includes(file.type),
    );
    if (!current || !pictures.length) return;
    event.preventDefault();
    const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    const form = formAt(document.activeElement) ?? current;
    form.add(
      pictures.map((file, index) => {
        const ending = file.type === "image/png" ? "png" : "jpg";
        const number = index ? `-${index + 1}` : "";
        const name = `screenshot-${moment}${number}.${ending}`;
        return new File([file], name, { type: file.type });
      }),
    );
    form.status.textContent = "The screenshot was added.";
  });

  document.querySelectorAll("form[data-upload]").forEach(prepare);
})();
