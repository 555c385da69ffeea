// Makes forms of commands better: what there is to choose from comes by itself, rows
// are added in place, nothing half filled in is left by mistake, and a second press
// of a button does nothing. The server keeps a double send from being recorded twice.

for (const form of document.querySelectorAll("form.command")) {
  let touched = false;
  form.addEventListener("input", () => { touched = true; });
  form.addEventListener("change", (event) => {
    const by = event.target.closest("[data-refreshes]");
    if (by) form.requestSubmit(form.querySelector("[data-refresh]"));
  });
  const refresh = form.querySelector(".refresh");
  if (refresh) refresh.hidden = true; // it is pressed for people
  form.querySelector("[data-add-row]")?.addEventListener("click", (event) => {
    event.preventDefault();
    addRow(event.target.closest("fieldset"));
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    touched = false;
    // After the browser has taken down which button it was.
    setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
    setTimeout(() => release(form), 20000); // somebody may have stopped it; it is safe to send again
  });
  if (form.dataset.guard) {
    addEventListener("beforeunload", (event) => { if (touched) event.preventDefault(); });
  }
}

// A page that comes back from the browser's history can be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.command")) release(form);
});

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
}

// addRow puts an empty copy of the last row after it, under the next number.
function addRow(rows) {
  const last = [...rows.querySelectorAll("fieldset.row")].at(-1);
  const n = rows.querySelectorAll("fieldset.row").length;
  const row = last.cloneNode(true);
  const next = (text) => text.replaceAll(`[${n - 1}]`, `[${n}]`).replaceAll(`-${n - 1}`, `-${n}`);
  for (const e of [row, ...row.querySelectorAll("*")]) {
    for (const name of ["id", "name", "for", "list", "aria-describedby"]) {
      if (e.hasAttribute(name)) e.setAttribute(name, next(e.getAttribute(name)));
    }
    if (e.matches("input, select, textarea")) e.value = "";
  }
  row.querySelector("legend").textContent = n + 1;
  last.after(row);
  row.querySelector("input, select")?.focus();
}

// A long list can be cut down to what has a word in it.
for (const list of document.querySelectorAll("[data-filter]")) {
  const label = Object.assign(document.createElement("label"), { className: "filter" }); // for which the styles keep room
  const field = Object.assign(document.createElement("input"), { type: "search" });
  const none = Object.assign(document.createElement("p"), { className: "empty", hidden: true, textContent: list.dataset.filterNone });
  label.append(list.dataset.filterLabel + " ", field);
  none.setAttribute("role", "status");
  list.prepend(label, none);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    let any = false;
    for (const item of list.querySelectorAll("[data-filtered]")) {
      item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
      any ||= !item.hidden;
    }
    for (const part of list.querySelectorAll("section")) part.hidden = ![...part.querySelectorAll("[data-filtered]")].some((i) => !i.hidden);
    none.hidden = any;
  });
}

for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());
document.getElementById("fault")?.focus();
