"""The built site, page by page: its files, and what a browser makes of them.

`make test` builds the site first. The browser is Chromium: the variable CHROMIUM names it, else it
is looked for on the PATH. Without one these tests are skipped, or fail where CI is set.
"""

import functools
import http.server
import json
import os
import re
import shutil
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import cells
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
FIRST = SITE / "index.html"  # sends the reader to the first page
FILES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
PAGES = [str(path.relative_to(SITE)) for path in FILES if path != FIRST]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
SAMPLE = [page for page in ("book/index.html", "book/glossary.html", *CHAPTERS[:1]) if page in PAGES]
# These are looked at by axe in every form; the others in one, since all pages share their style sheets.
IN_EVERY_FORM = [f"book/{name}.html" for name in ("index", "how-to-use", "errata")]
IN_EVERY_FORM += [*CHAPTERS[1:2], *CHAPTERS[-1:]]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}

AXE_OPTIONS = {
    "preload": False,  # else axe itself requests style sheets, at wrong addresses
    "rules": {"label-content-name-mismatch": {"enabled": True}},  # not in its default set
    "resultTypes": ["violations"],
}

# What is wider than its place and stands in nothing that scrolls: it would be cut off.
CUT_OFF = """() => {
  const scrolls = element => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const canScroll = element => scrolls(element)
    || (!element.matches("article") && canScroll(element.parentElement));
  const tooWide = element => element.clientWidth && (
    // A formula holds an invisible copy of itself for screen readers, which may stand out.
    (element.scrollWidth > element.clientWidth + 1 && !element.matches("mjx-container"))
    || element.getBoundingClientRect().left < -1
    || element.getBoundingClientRect().right > innerWidth + 1);
  const blocks = "div, p, li, dd, pre, table, img, mjx-container, h1, h2, h3";
  return [...document.querySelectorAll(`article :is(${blocks})`)]
    .filter(element => tooWide(element) && !canScroll(element))
    .map(element => element.outerHTML.slice(0, 200));
}"""

# In code, one token of each kind in each kind of box keeps its colour: axe looks at every one, which is two
# thirds of its time, and all of a kind look alike.
ONE_OF_EACH_COLOUR = """() => {
  const seen = new Set();
  for (const token of document.querySelectorAll(".highlight span")) {
    if (token.children.length) continue;
    const kind = `${token.className} in ${token.closest(".highlight").parentElement.className}`;
    if (seen.has(kind)) token.replaceWith(token.textContent);
    seen.add(kind);
  }
}"""

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@functools.cache
def soup(page: str) -> BeautifulSoup:
    """The parsed HTML of one page."""
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


# The files


def test_site_is_there():
    assert FIRST.exists() and PAGES, "there is no site in _build/html: run `make book`"


def test_first_page_leads_to_the_book():
    target = re.search(r'url=([^"]+)"', FIRST.read_text()).group(1)
    assert (SITE / target).exists()


def test_site_is_small_enough_for_any_stick():
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    assert size < 40 * 1024**2


def test_titles_are_unique():
    titles = [soup(page).title.get_text() for page in PAGES]
    assert len(set(titles)) == len(titles), sorted(titles)


def test_every_notebook_has_a_page():
    assert CHAPTERS == sorted(f"notebooks/{p.stem}.html" for p in (ROOT / "notebooks").glob("*.ipynb"))


def broken_links(page: str) -> list[str]:
    """The links of a page to files or anchors that are not in the site."""
    broken = []
    for tag, attribute in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
        for element in soup(page).find_all(tag):
            link = element.get(attribute)
            if not link or urlsplit(link).scheme or link.startswith("//"):
                continue
            address, anchor = urldefrag(urljoin(page, link))
            target = SITE / unquote(urlsplit(address).path or page)
            if not target.is_relative_to(SITE) or not target.is_file():
                broken.append(link)
            elif anchor and target.suffix == ".html":
                name = unquote(anchor)
                if not soup(str(target.relative_to(SITE))).find(id=name):
                    broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_lead_somewhere(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_from_another_host(page):
    for element in soup(page).find_all(["script", "img", "link", "iframe", "source", "video"]):
        address = element.get("src") or element.get("href") or ""
        assert not re.match(r"(https?:)?//", address), address


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_alternative_text(page):
    for image in soup(page).select("article img"):
        name = Path(urlsplit(image["src"]).path).name
        alternative = image.get("alt", "")
        assert alternative and name not in alternative, f"{image['src']}: alt={alternative!r}"


def test_a_download_says_how_to_get_the_package_and_is_quiet_where_it_is():
    for path in sorted((SITE / "_sources").rglob("*.ipynb")):
        first = next(cell for cell in cells.read(path).cells if cell.cell_type == "code")
        exec(first.source, {})  # the package is here: nothing happens
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "mmcourse", None)  # as if it were not installed
            with pytest.raises(SystemExit, match="make book"):
                exec(first.source, {})


def test_downloads_hold_no_solutions():
    sources = sorted((SITE / "_sources").rglob("*.ipynb"))
    assert [path.stem for path in sources] == [Path(page).stem for page in CHAPTERS]
    for path in sources:
        original = cells.read(ROOT / "notebooks" / path.name)
        downloaded = path.read_text(encoding="utf-8")
        for cell in original.cells:
            if cells.SOLUTION in cells.tags(cell):
                assert json.dumps(cell.source.splitlines()[0])[1:-1] not in downloaded
        assert not any(cells.SOLUTION in cells.tags(cell) for cell in cells.read(path).cells)


@pytest.mark.parametrize("page", CHAPTERS)
def test_solutions_are_folded(page):
    for cell in soup(page).select("div.cell.tag_solution"):
        code = cell.select_one("div.cell_input, div.highlight")
        folded = code.find_parent("details")
        assert folded is not None and not folded.has_attr("open")


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_says_what_it_measured(page):
    text = soup(page).select_one("article").get_text(" ")
    assert re.search(r"About \d+ minutes to read", text)
    assert re.search(r"Measured when this page was built: \d+ (s|min), \d+\.\d GB", text)


# In a browser


def find_chromium() -> str | None:
    """The browser that CHROMIUM names, or one on the PATH."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    return next((found for found in map(shutil.which, names) if found), None)


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests, closed before nbval runs event loops of its own."""
    executable = find_chromium()
    if executable is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop("No Chromium: the site was not looked at in a browser")
    from playwright.sync_api import sync_playwright

    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=as_root)
        yield chromium
        chromium.close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server():
    """The site on a loopback port; gives its address."""
    handler = functools.partial(QuietHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


@dataclass
class Visit:
    """What was seen when a page was opened once."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    formulas: int = 0
    typeset: int = 0
    wrong_formulas: int = 0
    phone_width: int = 0
    cut_off: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    backgrounds: dict[str, str] = field(default_factory=dict)


def open_page(browser, base: str, page: str, mode: str = "light"):
    """Open a page in a new context; returns the tab and the Visit that goes on recording."""
    visit = Visit()
    context = browser.new_context(viewport=DESKTOP, color_scheme=mode)
    tab = context.new_page()

    def route(handling):
        if handling.request.url.startswith((base, "data:", "blob:")):
            handling.continue_()
        else:
            visit.outside.append(handling.request.url)
            handling.abort()

    def listen(message):
        if message.type == "error":
            visit.errors.append(message.text)

    context.route("**/*", route)
    tab.on("console", listen)
    tab.on("pageerror", lambda error: visit.errors.append(str(error)))
    tab.on("requestfailed", lambda request: visit.errors.append(f"failed: {request.url}"))
    tab.goto(base + page, wait_until="load")
    # MathJax is there exactly where a page has formulas; its promise says when they are set.
    tab.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise.then(() => 1) : 1")
    return tab, visit


def count_formulas(tab, visit: Visit) -> None:
    """Record how many formulas the page has, and how many of them were typeset."""
    visit.formulas = tab.locator("article .math").count()
    visit.typeset = tab.locator("article .math mjx-container").count()
    visit.wrong_formulas = tab.locator("mjx-merror").count()


def axe_violations(tab) -> list[str]:
    """What axe-core finds, one line for each rule."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab, options=AXE_OPTIONS).response["violations"]
    return [f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:200]}" for rule in found]


@pytest.fixture(scope="module")
def visits(browser, server):
    """Opens each page once, does everything there, and remembers what was seen."""

    @functools.cache
    def visit_page(page: str) -> Visit:
        tab, visit = open_page(browser, server, page)
        count_formulas(tab, visit)
        # Every folded box is opened, so that what it holds is looked at too.
        tab.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
        tab.set_viewport_size(PHONE)
        tab.wait_for_timeout(100)
        visit.phone_width = tab.evaluate("document.scrollingElement.scrollWidth")
        visit.cut_off = tab.evaluate(CUT_OFF)
        tab.set_viewport_size(DESKTOP)
        tab.evaluate(ONE_OF_EACH_COLOUR)
        for mode in ("light", "dark"):
            tab.emulate_media(color_scheme=mode)
            tab.wait_for_function(f"document.documentElement.dataset.theme === '{mode}'")
            visit.backgrounds[mode] = tab.evaluate(BACKGROUND)
            tab.wait_for_timeout(200)  # colours fade over
            if mode == "light" or page in IN_EVERY_FORM:
                visit.violations[mode] = axe_violations(tab)
        tab.context.close()
        return visit

    return visit_page


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_without_an_error(visits, page):
    assert visits(page).errors == []


@pytest.mark.parametrize("page", PAGES)
def test_page_asks_no_other_host(visits, page):
    assert visits(page).outside == []


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_typeset(visits, page):
    visit = visits(page)
    assert visit.formulas == len(soup(page).select("article .math"))
    assert visit.typeset == visit.formulas
    assert visit.wrong_formulas == 0


@pytest.mark.parametrize("page", PAGES)
def test_phone_needs_no_sideways_scrolling(visits, page):
    assert visits(page).phone_width <= PHONE["width"]


@pytest.mark.parametrize("page", PAGES)
def test_phone_cuts_nothing_off(visits, page):
    assert visits(page).cut_off == []


@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible(visits, page):
    found = visits(page).violations
    assert list(found) == (["light", "dark"] if page in IN_EVERY_FORM else ["light"])
    assert not any(found.values()), found


@pytest.mark.parametrize("page", PAGES)
def test_theme_follows_the_system(visits, page):
    light, dark = visits(page).backgrounds["light"], visits(page).backgrounds["dark"]
    assert sum(map(int, re.findall(r"\d+", light)[:3])) > 700
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 120


@pytest.mark.parametrize("page", SAMPLE)
def test_page_works_from_a_disk(browser, page):
    tab, visit = open_page(browser, SITE.as_uri() + "/", page)
    count_formulas(tab, visit)
    tab.context.close()
    assert visit.errors == []
    assert visit.outside == []
    assert visit.typeset == visit.formulas


@pytest.mark.parametrize("address", ["server", "disk"])
def test_search_finds_each_chapter(browser, server, address):
    """One page is opened for all searches: what a form sends is what the page's own script is given here."""
    base = server if address == "server" else SITE.as_uri() + "/"
    tab, visit = open_page(browser, base, "search.html?q=chapter")
    tab.wait_for_function("Search.hasIndex()")
    for page in CHAPTERS:
        title = soup(page).select_one("article h1").get_text()
        word = max(re.findall(r"[a-z]{4,}", title.lower()), key=len)
        tab.evaluate("document.getElementById('search-results').replaceChildren()")
        tab.evaluate("word => Search.performSearch(word)", word)
        # Results are listed one after the other, and their excerpts arrive after the links.
        tab.wait_for_selector(f'#search-results li a[href*="{page}"]', timeout=20_000)
        found = tab.eval_on_selector_all("#search-results li a", "links => links.map(a => a.href)")
        assert any(urlsplit(link).path.endswith(page) for link in found), found
    tab.wait_for_timeout(300)
    tab.context.close()
    assert visit.errors == []
    assert visit.outside == []


def test_reader_can_choose_the_colours(browser, server):
    tab, _ = open_page(browser, server, PAGES[0])
    seen = set()
    for _ in range(3):
        tab.click(".theme-switch-button >> visible=true")
        seen.add(tab.evaluate("document.documentElement.dataset.mode"))
    tab.context.close()
    assert seen == {"light", "dark", "auto"}


def test_keyboard_reaches_the_text_first(browser, server):
    tab, _ = open_page(browser, server, PAGES[0])
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    tab.context.close()
