// Steps a page through history in place: by dragging the slider, by its arrow keys,
// from event to event, and by the links beside it. Each step is the page as of
// another event, asked for anew; what comes while the next is asked for is skipped.
{
  const range = () => document.getElementById("replay-range");
  const shown = ["body > header", ".banner > p", "#replay-words", "#replay-previous", "#replay-next", "main"];
  let wanted = null, busy = false;

  const asOf = (seq) => {
    const url = new URL(location.href);
    url.searchParams.set("as_of", "seq:" + seq);
    url.searchParams.delete("cursor");
    return url;
  };

  async function step(url) {
    wanted = url;
    if (busy) return;
    busy = true;
    document.body.setAttribute("aria-busy", "true");
    while (wanted) {
      const next = wanted;
      wanted = null;
      try {
        const fresh = await fetchPage(next, true);
        if (!fresh) return;
        if (!fresh.getElementById("replay-range")) { location.assign(next); return; }
        if (!wanted) show(fresh, next);
      } catch {
        location.assign(next); // the browser says what is wrong
        return;
      }
    }
    busy = false;
    document.body.removeAttribute("aria-busy");
  }

  // show puts the parts of another page in their places. The slider stays, so that it
  // can be dragged on, and keeps the focus; of the links, the one that had it.
  function show(fresh, url) {
    const focused = document.activeElement?.id;
    for (const selector of shown) {
      const old = document.querySelector(selector), now = fresh.querySelector(selector);
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
    const slider = range(), there = fresh.getElementById("replay-range");
    if (slider !== document.activeElement || slider.value === there?.value) slider.value = new URL(url).searchParams.get("as_of").slice(4);
    document.title = fresh.title;
    history.replaceState(history.state, "", url);
    if (focused?.startsWith("replay-")) document.getElementById(focused)?.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("milepost:fresh"));
  }

  document.addEventListener("input", (event) => {
    if (event.target === range()) step(asOf(event.target.value));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== range() || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = { ArrowLeft: "replay-previous", ArrowDown: "replay-previous", ArrowRight: "replay-next", ArrowUp: "replay-next" }[event.key];
    if (!link) return;
    event.preventDefault(); // from event to event of what the page is about, and not by sequences
    const address = document.getElementById(link).href;
    if (address && !busy) { range().value = new URL(address).searchParams.get("as_of").slice(4); step(new URL(address)); }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#replay-previous, #replay-next");
    if (!link?.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    range().value = new URL(link.href).searchParams.get("as_of").slice(4);
    step(new URL(link.href));
  });
}
