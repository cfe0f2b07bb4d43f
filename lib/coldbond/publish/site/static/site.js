"use strict";
// A click on the picture of a figure opens it enlarged: drag to move it, wheel or buttons to change its size.
for (const link of document.querySelectorAll("a.zoom")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    enlarge(link.querySelector("img"));
  });
}

function enlarge(picture) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", picture.alt);
  dialog.innerHTML = `<div class="tools"><button type="button" data-by="1.5" aria-label="larger">+</button>
    <button type="button" data-by="0.6667" aria-label="smaller">−</button>
    <button type="button" data-by="0">fit</button>
    <button type="button" class="close" aria-label="close">✕</button></div><div class="view" tabindex="0"></div>`;
  const view = dialog.querySelector(".view");
  const shown = view.appendChild(new Image());
  shown.src = picture.currentSrc || picture.src;
  shown.alt = picture.alt;
  document.body.append(dialog);
  dialog.showModal();
  const ratio = picture.naturalHeight / picture.naturalWidth;
  const fitting = () => Math.min(view.clientWidth, view.clientHeight / ratio);
  let width = fitting();
  const resize = (to, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
    to = Math.max(fitting(), Math.min(to, 4 * picture.naturalWidth));
    const [left, top] = [(view.scrollLeft + x) * to / width - x, (view.scrollTop + y) * to / width - y];
    width = to;
    shown.style.width = `${width}px`;
    view.scrollTo(left, top);
  };
  resize(width);
  for (const button of dialog.querySelectorAll("[data-by]")) {
    button.addEventListener("click", () => resize(Number(button.dataset.by) * width));
  }
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = view.getBoundingClientRect();
    resize(width * Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  view.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) view.scrollBy(-event.movementX, -event.movementY);
  });
  shown.addEventListener("dragstart", (event) => event.preventDefault());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "-") resize(width * (event.key === "+" ? 1.5 : 1 / 1.5));
  });
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
}
