"""The pages of the invented shop: what is asked can be read off the picture, and the splits keep apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcourse.data import product_pages as pages

FEW = settings(max_examples=20, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.sampled_from(pages.SPLITS))
@FEW
def test_a_page_is_drawn_whole_and_says_what_is_answered(seed, split):
    random = np.random.default_rng(seed)
    page, layout = pages.draw_page(random), pages.draw_layout(split, random)
    picture = pages.draw(page, layout)
    assert picture.shape == (pages.HEIGHT, pages.WIDTH, 3) and picture.dtype == np.uint8
    boxes = sorted(pages.box_of(layout, field) for field in pages.FIELDS)
    assert [top for top, _ in boxes] == [0] + [bottom for _, bottom in boxes[:-1]]
    assert boxes[-1][1] <= pages.HEIGHT
    assert pages.answer(page, "left") == ("yes" if page.left else "no")
    assert int(pages.answer(page, pages.answer(page, "cheaper"))) == min(page.new, page.used)


@given(SEEDS, st.sampled_from(pages.FIELDS))
@FEW
def test_each_value_looks_different_and_changes_its_strip_alone(seed, field):
    random = np.random.default_rng(seed)
    page, other = pages.draw_page(random), pages.draw_page(random)
    layout = pages.draw_layout("known", random)
    changed = pages.Page(**{**page.__dict__, field: getattr(other, field)})
    differs = (pages.draw(page, layout) != pages.draw(changed, layout)).any(axis=(1, 2))
    top, bottom = pages.box_of(layout, field)
    assert differs[top:bottom].any() == (page != changed)
    differs[top:bottom] = False
    assert not differs.any()


def test_the_splits_hold_what_they_promise():
    known, random = pages.known_layouts(), np.random.default_rng(0)
    assert known[0] == pages.SHOP and len({one.order for one in known}) == len(known)
    orders = {one.order for one in known}
    for _ in range(50):
        assert pages.draw_layout("known", random) in known
        assert pages.draw_layout("new order", random).order not in orders
        assert pages.draw_layout("new size", random).size > max(one.size for one in known)
        assert pages.draw_layout("new font", random).font not in {one.font for one in known}
    for wrong in (
        lambda: pages.draw_layout("old", random),
        lambda: pages.answer(pages.Page(*range(6)), "size"),
    ):
        with pytest.raises(ValueError, match="expected one of"):
            wrong()


def test_an_exam_asks_each_page_once_and_is_the_same_each_time():
    exam, again = (pages.Exam.draw("known", 14, seed=3) for _ in range(2))
    assert exam.tasks == again.tasks == pages.TASKS * 2
    np.testing.assert_array_equal(exam.images, again.images)
    assert exam.answers == tuple(map(pages.answer, exam.pages, exam.tasks))
    assert exam.prompts[0] == "what is it"
    other = pages.Exam.draw("known", 14, seed=4)
    assert other.pages != exam.pages


def test_the_figures_of_the_datasheet():
    found = pages.statistics()
    assert found["products"] == 10 and found["known layouts"] == 24
    assert 200 < found["pages of 1,000 on which nothing is left"] < 300
    assert 450 < found["pages of 1,000 on which used is dearer than new"] < 550
