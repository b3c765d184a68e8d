"""docs/conformance.md: where a suite and we differ on purpose. A difference that is not in its table fails; so does a row that no case needs."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "conformance.md"


def plain(cell):
    """What a cell says, without the marks of code around the whole of it."""
    cell = cell.strip()
    marks = re.fullmatch(r"(`+) ?(.*?) ?\1", cell)
    return marks[2] if marks else cell


class Table:
    """The table below a heading of that page: its first cells name a case, the last one says why."""

    def __init__(self, heading, begin=""):
        """`begin`: with what the cases of this script begin; the other rows are another's."""
        section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
        assert section, f"{PAGE.name} has no section {heading!r}"
        rows = [[plain(cell) for cell in line.strip("|").split(" | ")] for line in section[1].splitlines() if line.startswith(f"| `{begin}")]
        self.rows = {row[0]: tuple(row[1:-1]) for row in rows}
        assert len(self.rows) == len(rows), f"a case stands twice in the section {heading!r}"
        assert all(row[-1] for row in rows), f"a row of the section {heading!r} gives no reason"
        self.needed = set()

    def settle(self, case, agrees, *verdicts):
        """Fails unless the case agrees, or the table says exactly how it does not."""
        if agrees:
            return None
        assert case in self.rows, f"{' against '.join(verdicts)}, and no row explains it"
        self.needed.add(case)
        assert self.rows[case] == verdicts, f"{' against '.join(verdicts)}, but its row says {' against '.join(self.rows[case])}"
        return "differs, as its row says"

    def nothing_stale(self):
        """Fails if a row explains what is not so (any more)."""
        stale = sorted(self.rows.keys() - self.needed)
        assert not stale, f"rows that no case needs: {', '.join(stale)}"
        return f"{len(self.needed)} differences, each explained"
