"""Reads the Prometheus text format strictly enough to find what a scraper would refuse (OP-10..OP-13)."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)(?: \d+)?")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)')


class Metrics:
    """One scrape: values by name and labels."""

    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, []
        if not text.endswith("\n"):
            raise AssertionError("no final line feed (OP-10)")
        if "\r" in text:
            raise AssertionError("carriage return (OP-10)")
        current, finished = None, set()
        for line in text.splitlines():
            if line.startswith(("# HELP ", "# TYPE ")):
                _, kind, name, *rest = line.split(" ", 3)
                table = self.helps if kind == "HELP" else self.types
                if name in table:
                    raise AssertionError(f"{kind} of {name} twice (OP-11)")
                table[name] = rest[0] if rest else ""
                family = name
            elif not line or line.startswith("#"):
                continue
            else:
                family = self._sample(line)
            if family != current:
                if family in finished:
                    raise AssertionError(f"samples of {family} are not together (OP-11)")
                finished.add(current)
                current = family

    def _sample(self, line):
        match = SAMPLE.fullmatch(line)
        if not match:
            raise AssertionError(f"sample line {line!r}")
        labels, text = {}, (match[2] or "{}")[1:-1]
        while text:
            label = LABEL.match(text)
            if not label:
                raise AssertionError(f"labels of {line!r}")
            labels[label[1]] = label[2].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
            text = text[label.end():]
        self.samples.append((match[1], labels, float(match[3])))
        for suffix in ("_bucket", "_sum", "_count"):
            if match[1].endswith(suffix) and self.types.get(match[1][:-len(suffix)]) in ("histogram", "summary"):
                return match[1][:-len(suffix)]
        return match[1]

    def value(self, name, **labels):
        """Sum of the samples of `name` that have these labels; 0 if there is none."""
        return sum(value for each, has, value in self.samples
                   if each == name and all(has.get(key) == wanted for key, wanted in labels.items()))

    def names(self):
        return {name for name, _, _ in self.samples}
