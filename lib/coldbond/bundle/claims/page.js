"use strict";
{
  const root = document.querySelector(".claims");
  const form = root.querySelector("form");
  const chosen = [...form.querySelectorAll("select")];
  const articles = [...root.querySelectorAll("article")];
  const fits = (article) => chosen.every(({ name, value }) => !value || article.dataset[name].split("|").includes(value));
  const filter = () => {
    articles.forEach((article) => { article.hidden = !fits(article); });
    root.querySelectorAll("section").forEach((section) => { section.hidden = !section.querySelector("article:not([hidden])"); });
    const left = articles.filter((article) => !article.hidden).length;
    form.querySelector("output").value = `${left} of ${articles.length} statements`;
  };
  // A link to a statement shows it, unfolded, whatever the filters say.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !root.contains(target)) return;
    form.reset();
    filter();
    if (target.matches("article")) target.querySelector("details").open = true;
    target.scrollIntoView();
  };
  form.addEventListener("change", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  filter();
  reveal();
}
