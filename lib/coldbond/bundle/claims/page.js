"use strict";
{
  const root = document.querySelector(".claims");
  const form = root.querySelector("form");
  const articles = [...root.querySelectorAll("article")];
  const chosen = [...form.querySelectorAll("select")];
  const values = (article, name) => article.dataset[name].split("|");
  const filter = () => {
    const fits = (article) => chosen.every((one) => !one.value || values(article, one.name).includes(one.value));
    articles.forEach((article) => { article.hidden = !fits(article); });
    root.querySelectorAll("section").forEach((section) => { section.hidden = !section.querySelector("article:not([hidden])"); });
    form.querySelector("output").value = `${articles.filter((one) => !one.hidden).length} of ${articles.length} statements`;
  };
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && root.contains(target)) {
      if (target.closest("[hidden]")) form.reset();
      filter();
      target.querySelectorAll("article > details, :scope > details").forEach((one) => { one.open = target.matches("article"); });
      target.scrollIntoView();
    }
  };
  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  filter();
  if (location.hash) reveal();
}
