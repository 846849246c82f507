"""Tables in Markdown, for what a long run has to show."""


class Table:
    def __init__(self, *columns):
        self._rows = [columns]

    def row(self, *cells):
        self._rows.append([str(cell) for cell in cells])

    def __str__(self):
        head, *rows = self._rows
        return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)) + "\n"
