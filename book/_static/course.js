// Opened from a disk, pages cannot be fetched: search results then come without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What scrolls inside itself can be reached with the keyboard.
function makeScrollersFocusable() {
  const scrollers = "div.math, div.cell_output, div.text_html, .bd-article pre";
  for (const element of document.querySelectorAll(scrollers)) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  }
}
addEventListener("load", makeScrollersFocusable);
addEventListener("resize", makeScrollersFocusable);

// On paper everything folded is open, except the solutions.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) {
    if (!details.closest(".tag_solution")) details.open = true;
  }
});
