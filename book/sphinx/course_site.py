"""What the site needs beyond configuration: names and roles that a screen reader can say.

The arrows that open a part of the side bar have no name at all; a folded cell is called "Toggle
hidden content" whatever its heading says; the entries of the bibliography have a role that their
list does not allow. All three are put right in the finished page. The templates beside this file do
the same for the title, the search button and the colour switch.
"""

IN_THE_BODY = {
    # Without the label, the heading inside <summary> is the name: "Show the solution".
    '<summary aria-label="Toggle hidden content">': "<summary>",
    'role="doc-biblioentry"': 'role="listitem"',
}


def name_sidebar_toggles(context: dict) -> None:
    """Give each arrow in the side bar the name of the page that it belongs to."""
    generate = context["generate_toctree_html"]

    def generate_named(*args, **kwargs):
        navigation = generate(*args, **kwargs)
        for item in navigation.select("li.has-children"):
            if item.summary:
                item.summary["aria-label"] = f"Pages under {item.a.get_text()}"
        return navigation

    context["generate_toctree_html"] = generate_named


def finish_page(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Correct one page just before it is written."""
    name_sidebar_toggles(context)
    for wrong, right in IN_THE_BODY.items():
        if "body" in context:
            context["body"] = context["body"].replace(wrong, right)


def setup(app) -> dict:
    """Register the extension; it runs after the theme has filled the context of a page."""
    app.connect("html-page-context", finish_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
