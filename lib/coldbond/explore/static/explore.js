"use strict";
// The page keeps its state and sends it whole; an answer holds the picture and the numbers of the same settings.
const token = new URLSearchParams(location.search).get("token") || "";
const $ = id => document.getElementById(id);
const body = document.body, MOST = Number(body.dataset.most), MOST_UNDO = 200;
let state = { shown: [], view: "", settings: {}, zoom: [], known: {} };
let before = [];          // states to undo
let moving = null;        // the control that is being moved: one step for undo
let asking = false, again = false;
let answer = {}, built = "";
let listed = [], own = [];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

async function ask(path, sent, raw = null) {
  let found;
  try {
    found = await fetch(path, { method: "POST", headers: { Authorization: `token ${token}` }, body: raw || JSON.stringify(sent) });
  } catch {
    throw new Error("The server does not answer. Start `make explore` again and open the address that it prints.");
  }
  if (!found.ok) throw new Error((await found.text()).trim() || `The server answers ${found.status}.`);
  return found;
}
const json = async (path, sent, raw) => (await ask(path, sent, raw)).json();

// ---- changes, undo, reset -------------------------------------------------------------------------------------------
function change(edit, mover = null) {
  if (mover === null || mover !== moving) {
    before.push(structuredClone(state));
    if (before.length > MOST_UNDO) before.shift();
  }
  moving = mover;
  edit(state);
  draw();
}
function undo() {
  if (!before.length) return;
  state = before.pop();
  moving = null;
  draw();
}
const show = keys => change(s => Object.assign(s, { shown: keys, settings: {}, zoom: [] }));

async function draw() {
  choices();
  if (!state.shown.length) return;
  again = true;
  if (asking) return;
  asking = true;
  body.dataset.state = body.dataset.state === "starting" ? "starting" : "busy";
  if (body.dataset.state === "busy") $("status").textContent = "computing …";
  while (again) {
    again = false;
    const width = Math.floor($("picture").clientWidth);
    let found;
    try {
      found = await json("draw", { ...state, width, ratio: window.devicePixelRatio || 1 });
      if (found.picture) {
        found.image = new Image();
        found.image.src = "data:image/png;base64," + found.picture;
        await found.image.decode();
      }
    } catch (error) {
      found = { error: error.message };
    }
    if (!again) display(found, width);
  }
  asking = false;
}

function display(found, width) {
  answer = found;
  answer.width = width;
  const figure = document.querySelector("figure");
  figure.hidden = !found.image;
  if (found.image) {
    found.image.alt = (found.notes || []).join("; ");
    found.image.draggable = false;
    $("frame").replaceChild(found.image, $("frame").querySelector("img"));
  }
  message(found);
  const tables = found.error ? [] : found.tables;
  $("narrow").replaceChildren(...tables.map(tabled));
  // A table that the column cannot hold stands below the picture, which is wider.
  const room = $("narrow").clientWidth;
  $("wide").replaceChildren(...[...$("narrow").children].filter(table => table.offsetWidth > room + 1));
  $("meaning").hidden = !tables.length;
  $("notes").replaceChildren(...(found.notes || []).map(text => element("li", {}, text)));
  $("cursor").textContent = found.image ? "Drag on the picture to zoom." : "\u00a0";
  settings(found);
  constants(found.constants || []);
  $("undo").disabled = !before.length;
  $("whole").disabled = !state.zoom.length;
  for (const button of document.querySelectorAll("[data-form]")) button.disabled = !found.image;
  $("status").textContent = "";
  body.dataset.state = "ready";
  body.dataset.drawn = Number(body.dataset.drawn) + 1;
}

// ---- recordings -----------------------------------------------------------------------------------------------------
const every = () => [...own, ...listed.flatMap(group => group.recordings)];
function options(select, keep, blank) {
  const group = (name, recordings) => {
    const some = recordings.filter(keep).map(one => element("option", { value: one.key }, one.label));
    return some.length ? [element("optgroup", { label: name }, ...some)] : [];
  };
  const blanks = blank ? [element("option", { value: "" }, blank)] : [];
  select.replaceChildren(...blanks, ...group("Your files", own), ...listed.flatMap(g => group(g.name, g.recordings)));
}
function choices() {
  const group = listed.find(one => one.recordings.some(each => each.key === state.shown[0]));
  $("group").textContent = group ? `: ${group.name}` : own.some(one => one.key === state.shown[0]) ? ": your file" : "";
  options($("recording"), () => true, state.shown.length ? "" : "choose one");
  $("recording").value = state.shown[0] || "";
  const known = Object.fromEntries(every().map(one => [one.key, one]));
  const technique = known[state.shown[0]]?.technique;
  options($("over"), one => !state.shown.includes(one.key) && (!technique || !one.technique || one.technique === technique),
    "+ lay another one over it");
  $("over").hidden = !state.shown.length || $("over").options.length < 2;
  $("over-it").replaceChildren(...state.shown.slice(1).map(key => element("li", {}, known[key]?.label || key,
    element("button", { title: "take it away", "aria-label": `take ${known[key]?.label} away`,
      onclick: () => show(state.shown.filter(one => one !== key)) }, "×"))));
}
$("recording").addEventListener("change", event => event.target.value && show([event.target.value]));
$("over").addEventListener("change", event => event.target.value && show([...state.shown, event.target.value]));

function take(found) {
  const good = found.filter(one => one.key);
  $("own-message").textContent = found.filter(one => one.error).map(one => one.error).join(" ");
  own = [...good, ...own.filter(one => !good.some(other => other.key === one.key))];
  if (good.length) show(good.map(one => one.key));
}
async function upload(files) {
  const found = [];
  for (const file of files) {
    $("own-message").textContent = "";
    if (file.size > MOST) {
      found.push({ error: `${file.name} is larger than ${Math.round(MOST / 2 ** 20)} MB: write its path below instead.` });
      continue;
    }
    body.dataset.state = "busy";
    $("status").textContent = `reading ${file.name} …`;
    try {
      found.push(await json("upload?name=" + encodeURIComponent(file.name), null, await file.arrayBuffer()));
    } catch (error) {
      found.push({ error: `${file.name}: ${error instanceof DOMException ? "it cannot be read: drop files, not folders" : error.message}` });
    }
    body.dataset.state = "ready";
    $("status").textContent = "";
  }
  take(found);
}
$("file").addEventListener("change", event => { upload([...event.target.files]); event.target.value = ""; });
for (const name of ["dragenter", "dragover"]) addEventListener(name, event => { event.preventDefault(); $("own").classList.add("over"); });
addEventListener("dragleave", event => { if (!event.relatedTarget) $("own").classList.remove("over"); });
addEventListener("drop", event => {
  event.preventDefault();
  $("own").classList.remove("over");
  if (event.dataTransfer.files.length) upload([...event.dataTransfer.files]);
});
$("path").addEventListener("change", async event => {
  if (!event.target.value.trim()) return;
  try {
    take([await json("path", { path: event.target.value })]);
  } catch (error) {
    take([{ error: error.message }]);
  }
});

// ---- controls -------------------------------------------------------------------------------------------------------
function helped(label, help, target) {
  const text = element("p", { className: "help-text", hidden: true }, help);
  const button = element("button", { className: "help", type: "button", "aria-label": `what is ${label.textContent}`,
    "aria-expanded": "false", onclick: () => {
      text.hidden = !text.hidden;
      button.setAttribute("aria-expanded", String(!text.hidden));
    } }, "?");
  return [element("div", { className: "head" }, label, button), ...target, text];
}
const set = (name, value, mover) => change(s => { s.settings[name] = value; }, mover);

function slider(control, id, value, label, moved) {
  const limits = { min: control.low, max: control.high, step: control.step };
  const range = element("input", { type: "range", id, ...limits, "aria-label": label });
  const number = element("input", { type: "number", ...limits, "aria-label": `${label}, as a number` });
  range.value = number.value = value;
  range.addEventListener("input", () => { number.value = range.value; moved(Number(range.value), control.name); });
  range.addEventListener("change", () => { moving = null; });
  number.addEventListener("change", () => { if (number.value !== "") { range.value = number.value; moved(Number(number.value), null); } });
  return element("div", { className: "slide" }, range, number);
}
function built_control(control, value) {
  const id = `control-${control.name}`;
  const label = element("label", { htmlFor: id }, control.label);
  let parts;
  if (control.kind === "number") {
    parts = [slider(control, id, value, control.label, (now, mover) => set(control.name, now, mover))];
  } else if (control.kind === "span") {
    const ends = [...value];
    const moved = place => (now, mover) => {
      ends[place] = now;
      set(control.name, [Math.min(...ends), Math.max(...ends)], mover && `${mover}${place}`);
    };
    parts = [slider(control, id, value[0], `${control.label}, from`, moved(0)), slider(control, id + "-to", value[1], `${control.label}, to`, moved(1))];
  } else if (control.kind === "choice") {
    const select = element("select", { id, onchange: () => set(control.name, select.value) },
      ...control.options.map(option => element("option", { value: option }, option)));
    select.value = value;
    parts = [select];
  } else if (control.kind === "several") {
    const boxes = control.options.map(option => element("input", { type: "checkbox", value: option, checked: value.includes(option),
      onchange: () => set(control.name, boxes.filter(box => box.checked).map(box => box.value)) }));
    parts = [element("div", { className: "choices", id, role: "group", "aria-label": control.label },
      ...boxes.map(box => element("label", {}, box, box.value)))];
  } else if (control.kind === "flag") {
    const box = element("input", { type: "checkbox", id, checked: value, onchange: () => set(control.name, box.checked) });
    label.prepend(box);
    parts = [];
  } else {
    const text = element("input", { type: "text", id, value, onchange: () => set(control.name, text.value) });
    parts = [text];
  }
  return element("div", { className: "control" }, ...helped(label, control.help, parts));
}
function settings(found) {
  const views = found.views || [];
  $("view-control").hidden = views.length < 2;
  $("view").replaceChildren(...views.map(name => element("option", { value: name }, name)));
  $("view").value = found.view || "";
  const now = found.settings || state.settings;
  const values = (found.controls || []).map(c => JSON.stringify([c.name, now[c.name] ?? c.value]));
  const shape = JSON.stringify([found.view, state.shown, (found.controls || []).map(c => [c.name, c.low, c.high, c.options])]);
  // While a control is moved, only that one may show what the user is doing.
  if (shape + values === built || (moving !== null && shape === built.slice(0, shape.length))) return;
  built = shape + values;
  const focused = document.activeElement?.id;
  const open = [...document.querySelectorAll("#controls .help[aria-expanded=true]")].map(b => b.getAttribute("aria-label"));
  $("controls").replaceChildren(...(found.controls || []).map(control => built_control(control, now[control.name] ?? control.value)));
  for (const name of open) document.querySelector(`#controls .help[aria-label="${CSS.escape(name)}"]`)?.click();
  if (focused?.startsWith("control-")) $(focused)?.focus();
}
$("view").addEventListener("change", event => change(s => Object.assign(s, { view: event.target.value, settings: {}, zoom: [] })));

function constant(key, one) {
  const id = `${one.asked ? "asked" : "known"}-${key}-${one.name}`;  // a field may stand in both places
  const input = element("input", { type: "text", id, value: state.known[key]?.[one.name] ?? one.value, autocomplete: "off",
    onchange: () => change(s => { s.known[key] = { ...s.known[key], [one.name]: input.value }; }) });
  return element("div", { className: "control" }, ...helped(element("label", { htmlFor: id }, one.label), one.help, [input]));
}
function constants(groups) {
  const several = groups.length > 1;
  $("constants").hidden = !groups.length;
  $("constants").querySelector("div").replaceChildren(...groups.flatMap(group =>
    [...(several ? [element("h2", {}, group.label)] : []), ...group.fields.map(one => constant(group.key, one))]));
}
function message(found) {
  const asks = found.asks;
  $("message").hidden = !found.error;
  $("message").replaceChildren(found.error || "", ...(asks ? asks.fields.map(one => constant(asks.key, one)) : []));
  if (asks) $("message").querySelector("input").focus();
}

// ---- numbers --------------------------------------------------------------------------------------------------------
function tabled(table) {
  const helps = table.rows.some(line => line.help);
  const meaning = (cell, name, help, after) => {
    if (!help) return;
    const span = Math.max(table.columns.length, 1) + 1 + helps;
    const row = element("tr", { hidden: true }, element("td", { colSpan: span }, element("p", { className: "help-text" }, help)));
    const button = element("button", { className: "help", "aria-label": `what is ${name}`, "aria-expanded": "false",
      onclick: () => { row.hidden = !row.hidden; button.setAttribute("aria-expanded", String(!row.hidden)); } }, "?");
    cell.append(button);
    after(row);
  };
  const made = element("table");
  if (table.columns.length) {
    const head = element("thead"), row = element("tr", {}, element("th", {}, table.corner));
    head.append(row);
    for (const column of table.columns) {
      const cell = element("th", {}, column.label);
      row.append(cell);
      meaning(cell, column.label, column.help, one => head.append(one));
    }
    made.append(head);
  }
  const rows = element("tbody");
  for (const line of table.rows) {
    const row = element("tr", {}, element("th", { scope: "row", className: line.label.length < 18 ? "short" : "" }, line.label), ...line.cells.map(text => element("td", {}, text)));
    rows.append(row);
    if (helps) row.append(element("td", { className: "aid" }));
    meaning(row.lastChild, line.label, line.help, one => rows.append(one));
  }
  made.append(rows);
  return made;
}

// ---- zoom and cursor ------------------------------------------------------------------------------------------------
const at = event => {
  const box = $("frame").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
};
const axes_at = ([x, y]) => (answer.axes || []).findIndex(({ box: [l, b, r, t] }) => x >= l && x <= r && y >= b && y <= t);
function value(axes, which, share) {
  const [low, high] = which === "x" ? [axes.box[0], axes.box[2]] : [axes.box[1], axes.box[3]];
  const part = Math.min(Math.max((share - low) / (high - low), 0), 1), [from, to] = axes[which];
  return axes[which + "scale"] === "log" ? from * (to / from) ** part : from + part * (to - from);
}
let drag = null;
$("frame").addEventListener("pointerdown", event => {
  if (event.pointerType === "touch" || event.button) return;
  const place = axes_at(at(event));
  if (place < 0) return;
  drag = { place, from: at(event) };
  $("frame").setPointerCapture(event.pointerId);
});
$("frame").addEventListener("pointermove", event => {
  const here = at(event), place = drag ? drag.place : axes_at(here);
  if (place < 0 || body.dataset.state !== "ready") return;
  const axes = answer.axes[place], digits = x => Number(x.toPrecision(4)).toString();
  $("cursor").textContent = ["x", "y"].map((which, i) => `${axes[which + "name"] || which}: ${digits(value(axes, which, here[i]))}`).join("   ");
  if (!drag) return;
  const [left, right] = [drag.from[0], here[0]].sort((a, b) => a - b), [low, high] = [drag.from[1], here[1]].sort((a, b) => a - b);
  Object.assign($("band").style, { left: `${100 * left}%`, width: `${100 * (right - left)}%`, top: `${100 * (1 - high)}%`, height: `${100 * (high - low)}%` });
  $("band").hidden = false;
});
$("frame").addEventListener("pointerup", event => {
  if (!drag) return;
  const { place, from } = drag, to = at(event), axes = answer.axes[place], box = $("frame").getBoundingClientRect();
  drag = null;
  $("band").hidden = true;
  if (Math.abs(to[0] - from[0]) * box.width < 6 || Math.abs(to[1] - from[1]) * box.height < 6) return;
  const ends = (which, i) => {
    const two = [value(axes, which, from[i]), value(axes, which, to[i])].sort((a, b) => a - b);
    return axes[which][0] > axes[which][1] ? two.reverse() : two;
  };
  const chosen = { axes: place, x: ends("x", 0), y: ends("y", 1), home: axes.home };
  change(s => { s.zoom = [...s.zoom.filter(one => one.axes !== place), chosen]; });
});
const whole = () => state.zoom.length && change(s => { s.zoom = []; });
$("frame").addEventListener("dblclick", whole);
$("whole").addEventListener("click", whole);

// ---- buttons --------------------------------------------------------------------------------------------------------
$("undo").addEventListener("click", undo);
$("reset").addEventListener("click", () => change(s => Object.assign(s, { settings: {}, zoom: [], known: {} })));
addEventListener("keydown", event => {
  const typing = event.target.matches?.("input[type=text], input[type=number]");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) { event.preventDefault(); undo(); }
});
for (const button of document.querySelectorAll("[data-form]")) button.addEventListener("click", async () => {
  try {
    const sent = { ...state, settings: answer.settings, width: answer.width, form: button.dataset.form };
    const found = await ask("save", sent);
    const link = element("a", { href: URL.createObjectURL(await found.blob()), download: decodeURIComponent(found.headers.get("X-Name")) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  } catch (error) {
    $("status").textContent = error.message;
  }
});
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => Math.abs($("picture").clientWidth - answer.width) > 2 && draw(), 200);
});

(async () => {
  $("undo").disabled = $("whole").disabled = true;
  try {
    const found = await json("recordings", {});
    listed = found.groups;
    $("own-message").textContent = found.note;
    const first = listed[0]?.recordings[0];
    if (first) state.shown = [first.key];
    else Object.assign(body.dataset, { state: "ready" }), $("status").textContent = "Open a file of your own.";
    await draw();
  } catch (error) {
    message({ error: error.message });
    body.dataset.state = "ready";
    $("status").textContent = "";
  }
})();
