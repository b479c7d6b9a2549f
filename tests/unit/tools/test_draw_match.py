from tools.draw_match import WHERE, drawing, judged


def test_the_picture_is_what_is_drawn_today() -> None:
    assert drawing(*judged()) == WHERE.read_text(encoding="utf-8"), "python -m tools.draw_match"
