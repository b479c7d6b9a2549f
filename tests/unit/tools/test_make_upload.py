from shared.products.upload_csv import parse_csv
from tools.make_upload import upload_lines


def test_the_upload_is_read_whole() -> None:
    parsed = parse_csv("".join(upload_lines(5000)).encode())
    assert len(parsed.rows) == parsed.total == 5000
    assert not parsed.errors
    assert not parsed.ignored
