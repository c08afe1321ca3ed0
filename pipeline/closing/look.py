"""How our workbooks look: the few cell formats, and the size of a note."""

from __future__ import annotations

from typing import Any

Book = Any
Sheet = Any
Format = Any
"""XlsxWriter's own things: the library is untyped."""

_TEXT = {"num_format": "@", "valign": "top", "font_name": "Calibri", "font_size": 11}
_PROSE = {"font_name": "Calibri", "font_size": 11, "valign": "top"}


class Look:
    """The formats of one workbook; those of the sheet to correct are text, so Excel keeps what is typed."""

    RED = "#C62828"
    BLUE = "#1F4E79"
    GREEN = "#2E7D32"

    def __init__(self, book: Book) -> None:
        def text(**more: object) -> Format:
            return book.add_format({**_TEXT, **more})

        def prose(**more: object) -> Format:
            return book.add_format({**_PROSE, **more})

        head = {"bold": True, "valign": "vcenter", "border": 1, "border_color": "#BFBFBF"}
        self.cell = text()
        self.wrong_cell = text(bg_color="#F8B4B4", font_color="#7F0000", border=1, border_color=self.RED)
        self.header = text(**head, bg_color="#DCE6F1", font_color=self.BLUE)
        self.wrong_header = text(**head, bg_color="#F4CCCC", font_color="#7F0000")
        self.our_header = text(**head, bg_color=self.RED, font_color="#FFFFFF")
        self.problem = text(text_wrap=True, bg_color="#FDECEA", font_color="#7F0000")
        self.held = text(text_wrap=True, bg_color="#FFF4D6", font_color="#6B4E00")
        self.advice = text(text_wrap=True, bg_color="#FDF7F6")
        self.wrapped = text(text_wrap=True)
        self.asked = text(text_wrap=True, bg_color="#FFF4D6", border=1, border_color="#B26A00", bold=True)
        self.reference = text(font_color="#A6A6A6", font_size=8)

        self.title = prose(bold=True, font_size=16, font_color=self.BLUE)
        self.alarm = prose(bold=True, font_size=16, font_color=self.RED)
        self.heading = prose(bold=True, font_size=12, font_color=self.BLUE, bottom=1, bottom_color="#BFBFBF")
        self.label = prose(bold=True, font_color="#595959")
        self.prose = prose(text_wrap=True)
        self.line = prose()
        self.fault = prose(text_wrap=True, font_size=12, bg_color="#FDECEA", font_color="#7F0000")
        self.remedy = prose(text_wrap=True, font_size=12)
        self.step = prose(bold=True, font_size=12, font_color=self.GREEN, align="center")
        self.number = prose(num_format="#,##0", bold=True, align="right")
        self.red_number = prose(num_format="#,##0", bold=True, align="right", font_color=self.RED)
        self.meaning = prose(indent=1, font_color="#595959")
        self.column_head = prose(bold=True, bg_color="#DCE6F1", font_color=self.BLUE)
        self.count_head = prose(bold=True, bg_color="#DCE6F1", font_color=self.BLUE, align="right")

    @staticmethod
    def note(text: str) -> dict[str, object]:
        """A note large enough for its text: about 46 characters a line, 16 pixels a line."""
        lines = sum(1 + len(line) // 46 for line in text.splitlines())
        return {"author": "orderdrop", "width": 300, "height": min(20 + 16 * lines, 400), "font_size": 9}
