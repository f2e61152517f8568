/* Taking things away: a panel as a workbook or a picture, the whole page as a print (PDF); nothing leaves this server. */
(() => {
  "use strict";
  const cockpit = (window.cockpit = window.cockpit || {});
  const { element } = cockpit;
  const SHARPNESS = 2;
  const NOTE_HEIGHT = 34;
  let toldOfPrint = false;

  const panelView = (name) => cockpit.viewOf(cockpit.plan().panels[name] || {});
  const trailText = () => [...document.querySelectorAll(".trail-step")].map((step) => step.textContent).join(" ");

  function save(address, name) {
    const link = element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** Save what a panel shows, or with a key the records behind it, as a workbook that the server writes. */
  function workbook(name, key) {
    const part = key === undefined ? "" : `&key=${encodeURIComponent(key)}`;
    save(`${cockpit.plan().data}panels/${encodeURIComponent(name)}/export?${panelView(name)}${part}`, "");
  }

  /** Tell the server what the browser takes by itself; false when that could not be recorded. */
  async function told(kind, names, view) {
    const panels = names.map((name) => `&panel=${encodeURIComponent(name)}`).join("");
    const address = `${cockpit.plan().data}taken?as=${kind}&theme=${encodeURIComponent(cockpit.state.theme)}&${view}${panels}`;
    return fetch(address, { method: "POST", keepalive: true }).then((answer) => answer.ok, () => false);
  }

  // --- A panel as a picture ------------------------------------------------------------------------------------

  /** All rules of the page as one text. */
  function rules() {
    return [...document.styleSheets].flatMap((sheet) => {
      try { return [...sheet.cssRules].map((rule) => rule.cssText); } catch { return []; }
    }).join("\n");
  }

  async function embedded(image) {
    const blob = await fetch(image.src).then((answer) => answer.blob());
    return new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(blob);
    });
  }

  /** A copy of a panel inside copies of what it stands in, so that every rule finds it as it finds the panel. */
  async function copyOf(section) {
    const copy = section.cloneNode(true);
    copy.querySelectorAll(".panel-head button").forEach((button) => button.remove());
    const images = copy.querySelectorAll("img");
    await Promise.all([...section.querySelectorAll("img")].map(async (image, i) => images[i].setAttribute("src", await embedded(image).catch(() => ""))));
    const lists = [...copy.querySelectorAll(".scrolls")];
    [...section.querySelectorAll(".scrolls")].forEach((list, i) => [...lists[i].children].slice(0, Math.round(list.scrollTop / (list.firstElementChild?.offsetHeight || 1))).forEach((row) => row.remove()));
    copy.style.cssText += `;width:${section.offsetWidth}px;height:${section.offsetHeight}px;max-height:none;flex:none;`;
    let whole = copy;
    for (let node = section.parentElement; node && node !== document.body; node = node.parentElement) {
      const around = node.cloneNode(false);
      around.style.cssText = `${[...node.style].filter((name) => name.startsWith("--")).map((name) => `${name}:${node.style.getPropertyValue(name)}`).join(";")};all:unset;display:contents;visibility:visible`;
      around.append(whole);
      whole = around;
    }
    return whole;
  }

  async function drawn(section) {
    const [width, height] = [section.offsetWidth, section.offsetHeight];
    const root = document.documentElement;
    const page = getComputedStyle(document.body);
    const body = element("div", { xmlns: "http://www.w3.org/1999/xhtml", style: `font-family:${page.fontFamily};font-size:${page.fontSize};line-height:${page.lineHeight};color:${page.color};font-variant-numeric:tabular-nums;width:${width}px;height:${height}px` },
      element("style", {}, `${rules()} *,*::before,*::after{animation:none!important;transition:none!important}`), await copyOf(section));
    const content = new XMLSerializer().serializeToString(body);
    const marks = [...root.attributes].filter(({ name }) => name.startsWith("data-")).map(({ name, value }) => `${name}="${value.replace(/[<>&"]/g, "")}"`).join(" ");
    const picture = `<svg xmlns="http://www.w3.org/2000/svg" ${marks} width="${width * SHARPNESS}" height="${height * SHARPNESS}" viewBox="0 0 ${width} ${height}" style="${root.style.cssText.replace(/"/g, "'")}"><foreignObject width="${width}" height="${height}">${content}</foreignObject></svg>`;
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`;
    await image.decode();
    return image;
  }

  /** Save a panel as a picture, with what it is of at its foot. */
  async function picture(section) {
    const { panel: name } = section.dataset;
    const { title } = cockpit.plan().panels[name];
    if (!(await told("png", [name], panelView(name)))) return;
    const [width, height] = [section.offsetWidth * SHARPNESS, section.offsetHeight * SHARPNESS];
    const canvas = element("canvas", { width, height: height + NOTE_HEIGHT * SHARPNESS });
    const ink = canvas.getContext("2d");
    const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    ink.fillStyle = css("--ground");
    ink.fillRect(0, 0, canvas.width, canvas.height);
    ink.drawImage(await drawn(section), 0, 0, width, height);
    ink.fillStyle = css("--ink-faint");
    ink.font = `${13 * SHARPNESS}px ${css("--font")}`;
    ink.textBaseline = "middle";
    ink.fillText(note(cockpit.plan().panels[name]), 14 * SHARPNESS, height + (NOTE_HEIGHT * SHARPNESS) / 2, width - 28 * SHARPNESS);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const address = URL.createObjectURL(blob);
    save(address, `${title}.png`);
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  const now = () => new Date().toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23" });
  const note = ({ timeless }) => [trailText(), timeless ? "当前" : cockpit.periodText(), `导出于 ${now()}`].filter(Boolean).join("　");

  // --- The page as a print -------------------------------------------------------------------------------------

  const namesShown = () => [...document.querySelectorAll("#stage [data-panel]")].map((each) => each.dataset.panel).filter((name) => cockpit.plan().panels[name] && !cockpit.plan().panels[name].content);

  /** Print the page: the browser's own dialog saves it as a PDF. */
  async function print() {
    if (!(await told("print", namesShown(), cockpit.viewOf({})))) return;
    toldOfPrint = true;
    window.print();
  }

  /** What a print has and the screen has not: a note at its foot, and the panels on further pages of the sides. */
  addEventListener("beforeprint", () => {
    if (!cockpit.state || !cockpit.plan()) return;
    if (!toldOfPrint) told("print", namesShown(), cockpit.viewOf({})); // by the keys of the browser
    toldOfPrint = false;
    const person = document.querySelector(".person");
    const foot = element("div", { id: "print-note" }, [note({}), person && person.textContent].filter(Boolean).join("　"));
    const hidden = [...document.querySelectorAll(".side-page:not(.is-shown) .panel")];
    const copies = hidden.map((section) => {
      const copy = section.cloneNode(true);
      copy.style.cssText = `width:${section.offsetWidth}px;height:${section.offsetHeight}px`;
      return copy;
    });
    const more = copies.length ? [element("div", { id: "print-more" }, element("div", { class: "side" }, ...copies))] : [];
    document.body.append(foot, ...more);
  });
  addEventListener("afterprint", () => document.querySelectorAll("#print-note, #print-more").forEach((node) => node.remove()));

  cockpit.take = { workbook, picture, print };
})();
