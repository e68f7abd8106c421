"""Draw the picture of a real result that the README and the landing page show.

    python book/tools/result.py      writes book/_static/result.png

Scenes of things that never stood together in training, each with a question in two languages: five that the
trained model answers rightly and one that it does not, the first ones of a fixed seed. A browser draws the
table, because it has fonts for both scripts.
"""

import io
import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from mmcourse import show
from mmcourse.generator import scenes

ROOT = Path(__file__).resolve().parents[2]
STYLE = """
body { margin: 0; background: white; color: #222; font: 16px/1.3 sans-serif; }
table { border-collapse: collapse; width: 820px; }
th, td { padding: 6px 12px; text-align: left; border-bottom: 1px solid #ddd; }
th { font-weight: 600; background: #f3f3f3; }
img { width: 88px; height: 88px; display: block; }
"""


TASKS = ("describe", "where", "at", "count", "left_of")


def table() -> show.Table:
    """The six rows."""
    model = scenes.load_trained("cpu")
    exam = scenes.Exam.draw("unseen_pairs", 60, seed=3)
    found: dict[bool, list] = {True: [], False: []}
    for image, some in zip(exam.images, exam.questions, strict=True):
        task = TASKS[min(len(found[True]), 4)]
        asked = [question for question in some if question.task == task]
        if not asked:  # a scene in which nothing of the kind can be asked
            continue
        answers = model.generate({"image": image[None].repeat(2, axis=0)}, [one.prompt for one in asked])
        marks = ["✓" if said == one.answer else "✗" for said, one in zip(answers, asked, strict=True)]
        row = [image]
        for one, said, mark in zip(asked, answers, marks, strict=True):
            asked_mark = "？" if one.language == "zh" else "?"
            row += [one.prompt + asked_mark, f"{said} {mark}".replace(" ,", ",")]
        found["✗" not in marks].append(row)
    headings = ["never seen", "question", "answer", "问题", "回答"]
    return show.Table(headings, [*found[True][:5], *found[False][:1]])


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
