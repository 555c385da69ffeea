// Brings a page up to date when its ledger moves. The page is asked for anew, and
// each part of it that came out otherwise takes the place of the old one: but not
// while somebody is working in it.

const settle = 100; // ms in which events that come together are one change
const again = 2000; // ms after which a page that did not come is asked for again

// sources are the parts as the server sent them: what was opened or added here since
// is no reason to replace one.
const sources = new WeakMap();

const parts = (root) => new Map([...root.querySelectorAll("[data-part][id]")].map((part) => [part.id, part]));

// busy says that replacing a part would take something out of somebody's hands.
function busy(part) {
  if (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, [contenteditable]")) return true;
  return [...part.querySelectorAll("input, select, textarea")].some((field) =>
    field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
      : field.matches("select") ? [...field.options].some((o) => o.selected !== o.defaultSelected) && field.dataset.touched
      : field.type !== "hidden" && field.value !== field.defaultValue);
}

// place puts the parts of a fresh page where they belong, and says whether all of
// them could be. What had the focus has it again, and what was opened stays open.
function place(fresh, highlight = true) {
  let all = true;
  const old = parts(document);
  for (const [id, part] of parts(fresh)) {
    const former = old.get(id);
    const source = part.outerHTML;
    if (!former || sources.get(former) === source) continue;
    if (busy(former)) { all = false; continue; }
    const focus = former.contains(document.activeElement) ? path(document.activeElement, former) : null;
    const open = [...former.querySelectorAll("details")].map((d) => d.open);
    former.replaceWith(document.adoptNode(part));
    sources.set(part, source);
    [...part.querySelectorAll("details")].forEach((d, i) => { if (open[i]) d.open = true; });
    if (focus) find(focus, part)?.focus({ preventScroll: true });
    if (highlight) part.classList.add("fresh");
  }
  return all;
}

// path and find name an element by its place, which survives a replacement.
function path(element, root) {
  const steps = [];
  for (let e = element; e !== root; e = e.parentElement) steps.unshift([...e.parentElement.children].indexOf(e));
  return steps;
}
const find = (steps, root) => steps.reduce((e, i) => e?.children[i], root);

// fetchPage asks for a page, or for one that also says so where what it is about is not
// there; it is null where nobody is signed in any more, and the browser goes to sign in.
// All scripts are parts of one module.
async function fetchPage(address, notThereToo = false) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in")) { location.assign(answer.url); return null; }
  if (!answer.ok && !(notThereToo && answer.status === 404)) throw new Error(answer.statusText);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

let stream, timer, running = false, wanted = false, behind = false, left = false;

// refresh asks for the page, one request at a time: no older answer comes after a newer.
async function refresh() {
  clearTimeout(timer);
  timer = null;
  if (running) { wanted = true; return; }
  running = true;
  try {
    do {
      wanted = false;
      const fresh = await fetchPage(location.href);
      if (!fresh) { left = true; return; }
      document.body.dataset.live = fresh.body.dataset.live ?? document.body.dataset.live;
      behind = !place(fresh);
      document.dispatchEvent(new CustomEvent("milepost:fresh"));
    } while (wanted);
  } catch {
    soon(again);
  } finally {
    running = false;
  }
}

// soon refreshes once, however much comes until then.
function soon(ms) { timer ??= setTimeout(refresh, ms); }

// comeBack listens again, from how the page is then.
function comeBack() {
  stream?.close();
  stream = null;
  clearTimeout(timer);
  timer = setTimeout(() => refresh().then(listen), again);
}

function listen() {
  stream?.close();
  stream = null;
  const address = document.body.dataset.live;
  if (!address || left || document.hidden) return; // a page that nobody sees holds no connection
  stream = new EventSource(address);
  stream.onmessage = (event) => { if (event.data) soon(settle); };
  // A connection that breaks is made again by the browser; an answer that is none is not.
  stream.onerror = (event) => { if (event.target.readyState === EventSource.CLOSED) comeBack(); };
  for (const name of ["dropped", "rights-changed", "closing", "unavailable"]) stream.addEventListener(name, comeBack);
}

document.addEventListener("change", (event) => { if (event.target.matches?.("select")) event.target.dataset.touched = "1"; });
document.addEventListener("focusout", () => { if (behind) soon(settle); });
document.addEventListener("visibilitychange", () => { if (document.hidden) listen(); else if (document.body.dataset.live) refresh().then(listen); });
for (const part of parts(document).values()) sources.set(part, part.outerHTML);
listen();
