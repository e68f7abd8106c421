"""Settings of pytest for tests/ and for the notebooks, which nbval compares with their outputs."""

# Outputs that another machine may write differently without any of them being wrong: log lines,
# the pixels of a figure, the HTML form of something that is compared as text.
NOT_COMPARED = ("stderr", "image/png", "image/svg+xml", "text/html")


def pytest_collectstart(collector):
    """Tell nbval what to leave out of the comparison."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += NOT_COMPARED


def pytest_terminal_summary(terminalreporter):
    """Say it loudly when the site was not looked at in a browser."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum("No Chromium" in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.section("THE SITE WAS NOT TESTED IN A BROWSER", sep="!", red=True)
        terminalreporter.line(f"{count} tests need Chromium: install it, or set CHROMIUM=PATH.")


def pytest_make_parametrize_id(config, val, argname):
    """Name bytes by their number: what was packed a moment ago has other bytes in every process."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > 40 else None
