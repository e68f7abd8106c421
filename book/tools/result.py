"""Draw the picture of a real result that the README and the landing page show.

    python book/tools/result.py      writes book/_static/result.png

Six held-out combinations, five that the trained model names rightly and one that it does not, chosen by a
fixed seed. A browser draws the table, because it has fonts for both scripts.
"""

import io
import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from mmcourse import show
from mmcourse.data import emoji
from mmcourse.evaluation import texts
from mmcourse.generator import naming

ROOT = Path(__file__).resolve().parents[2]
STYLE = """
body { margin: 0; background: white; color: #222; font: 16px/1.3 sans-serif; }
table { border-collapse: collapse; width: 820px; }
th, td { padding: 6px 12px; text-align: left; border-bottom: 1px solid #ddd; }
th { font-weight: 600; background: #f3f3f3; }
img { width: 56px; height: 56px; display: block; }
"""


def table() -> show.Table:
    """The six rows."""
    model = naming.load_trained("cpu")
    pictures = emoji.load(emoji.PICTURE_SIZE)
    chosen = np.random.default_rng(3).permutation(pictures.splits["unseen_composition"])[:60]
    answers = {
        code: model.generate({"image": pictures.images[chosen]}, naming.PROMPTS[code][0])
        for code in naming.LANGUAGES
    }
    true = {code: pictures.names(code, chosen) for code in naming.LANGUAGES}
    right = np.logical_and(*(texts.exact_match(answers[code], true[code]) for code in naming.LANGUAGES))
    places = [*np.flatnonzero(right)[:5], *np.flatnonzero(~right)[:1]]
    return show.Table(
        ["never seen", "true name", "“name it in English”", "「用中文说」", ""],
        [
            [
                pictures.images[chosen[i]],
                true["en"][i],
                answers["en"][i],
                answers["zh"][i],
                "✓" if right[i] else "✗",
            ]
            for i in places
        ],
    )


def main() -> None:
    """Draw the table and write the picture."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 820, "height": 600}, device_scale_factor=1.5)
        page.set_content(f"<style>{STYLE}</style>{table()._repr_html_()}")
        content = page.locator("table").screenshot()
        browser.close()
    picture = Image.open(io.BytesIO(content)).convert("RGB").quantize(128)
    path = ROOT / "book" / "_static" / "result.png"
    picture.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
