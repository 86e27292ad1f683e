"""The table of close codes has each code of the frames."""

from contract import frames
from contract.close_codes import CLOSE_CODES


def test_every_close_code_has_a_row() -> None:
    """And no other."""
    codes = {
        value for name, value in vars(frames).items()
        if name.isupper() and isinstance(value, int) and 1000 < value < 5000
        and not name.startswith("MAX")
    }  # fmt: skip

    assert set(CLOSE_CODES) == codes


def test_what_is_final_has_a_client_error_as_its_status() -> None:
    """And what is for now has 429 or one of the server."""
    for code, (_, reconnect, status) in CLOSE_CODES.items():
        if status is not None:
            assert (reconnect == "no") == (400 <= status < 429), code
