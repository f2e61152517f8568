// Every step by key. Letters act while nobody types; in a field they are letters.

const VERBS = { c: ["confirm", "countersign"], p: ["propose_penalty"], x: ["reject"], b: ["send_back"], r: ["reopen"] };

function typing(target) {
  return target.matches?.("input, textarea, select, [contenteditable]");
}

export function keys(acts) {
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
    if (event.key === "Escape") {
      if (typing(event.target)) event.target.blur();
      event.preventDefault();
      acts.close();
      return;
    }
    if (typing(event.target)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = {
      j: acts.next,
      k: acts.previous,
      u: acts.unmask,
      d: acts.draw,
      w: acts.waste,
      z: acts.enlarge,
      m: acts.merge,
      s: acts.split,
      h: acts.hold,
      n: acts.notice,
      a: acts.answer,
      "?": acts.help,
      "？": acts.help,
      ArrowLeft: () => acts.photo(-1),
      ArrowRight: () => acts.photo(1),
    }[key];
    if (act) act();
    else if (VERBS[key]) acts.arm(VERBS[key]);
    else if (/^[1-9]$/.test(key)) acts.digit(Number(key));
    // On a button Enter means the button.
    else if (key === "Enter" && !event.target.closest("button, a, summary")) acts.open();
    else return;
    event.preventDefault();
  });
}
