"""Formulas without a script or a font from elsewhere: the course's TeX, written as MathML, which browsers draw."""

from __future__ import annotations

import re
from html import escape

from mtl_helpers.pages.tex_names import (
    ACCENTS,
    FENCES,
    FUNCTIONS,
    GREEK,
    LARGE,
    LIMITS,
    OPERATORS,
    SILENT,
    SIZES,
    SPACES,
    alphabet,
)

TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|\d+(?:\.\d+)?|\.\d+|\s+|.", re.DOTALL)
TEXTS = {"text", "mathrm", "textrm", "textbf", "textit", "operatorname", "operatorname*", "mathit", "mathsf", "mathtt"}
TABLES = {"cases": ("{", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "vmatrix": ("|", "|")}
UNFENCED = {"aligned", "align", "align*", "matrix", "array", "split", "gathered"}


def to_mathml(tex: str, display: bool = False) -> str:
    """Writes a formula as MathML.

    Args:
        tex: The formula in TeX, without its dollars.
        display: Whether it stands on a line of its own.

    Returns:
        A ``<math>`` element; it carries the TeX, so that it can be copied.

    Raises:
        ValueError: If the formula holds a command that is not known, or a brace is not closed.

    Example:
        >>> to_mathml("x^2").partition("<annotation")[0]
        '<math><semantics><msup><mi>x</mi><mn>2</mn></msup>'
    """
    body = one(_Parser(tex).row(""))
    kept = f'<annotation encoding="application/x-tex">{escape(tex.strip())}</annotation>'
    block = ' display="block"' if display else ""
    return f"<math{block}><semantics>{body}{kept}</semantics></math>"


def one(parts: list[str]) -> str:
    """Makes one element of several."""
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def operator(text: str, **attributes: str) -> str:
    """Writes an operator."""
    words = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<mo{words}>{escape(text)}</mo>"


class _Parser:
    """Reads a formula from left to right, a token at a time."""

    def __init__(self, tex: str) -> None:
        self.tex = tex.strip()
        self.tokens = TOKEN.findall(self.tex)
        self.at = 0

    def fail(self, why: str) -> ValueError:
        return ValueError(f"formula {self.tex!r}: {why}; write it another way or teach mtl_helpers.pages.mathml.")

    def peek(self) -> str:
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def row(self, *ends: str) -> list[str]:
        """Reads up to one of the ends, which it leaves."""
        parts: list[str] = []
        while self.peek() not in ends:
            if self.peek() == "":
                raise self.fail(f"{ends[0]} is missing")
            parts.append(self.with_scripts())
        return [part for part in parts if part]

    def group(self) -> str:
        """Reads what a command or a script takes: a group in braces, or else a single atom, of a number one digit."""
        token = self.peek()
        if token != "{":
            if len(token) > 1 and token.isdigit():
                self.tokens[self.at : self.at + 1] = list(token)
            return self.atom()[0]
        self.next()
        found = one(self.row("}"))
        self.next()
        return found

    def raw(self) -> str:
        """Reads a group in braces as it is written."""
        if self.next() != "{":
            raise self.fail("a { is missing")
        depth, text = 1, ""
        while depth:
            if self.at >= len(self.tokens):
                raise self.fail("} is missing")
            token = self.tokens[self.at]
            self.at += 1
            depth += {"{": 1, "}": -1}.get(token, 0)
            text += token if depth else ""
        return text

    def with_scripts(self) -> str:
        """Reads an atom and what stands above and below it."""
        base, limits = self.atom()
        below = above = ""
        while self.peek() in ("^", "_", "'"):
            sign = self.next()
            if sign == "'":
                above += operator("′")
            elif sign == "^":
                above += self.group()
            else:
                below = self.group()
        above = f"<mrow>{above}</mrow>" if above.count("<mo>′</mo>") and above != "<mo>′</mo>" else above
        if below and above:
            tag = "munderover" if limits else "msubsup"
            return f"<{tag}>{base}{below}{above}</{tag}>"
        if below:
            return f"<munder>{base}{below}</munder>" if limits else f"<msub>{base}{below}</msub>"
        if above:
            return f"<mover>{base}{above}</mover>" if limits else f"<msup>{base}{above}</msup>"
        return base

    def atom(self) -> tuple[str, bool]:
        """Reads one thing; says also whether its scripts are limits."""
        token = self.peek()
        if token == "":
            raise self.fail("something is missing at its end")
        if token == "{":
            return self.group(), False
        self.next()
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit() or (token[0] == "." and len(token) > 1):
            return f"<mn>{token}</mn>", False
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>", False
        if token in "()[]|":
            return operator(token, stretchy="false"), False
        return operator({"-": "−", "*": "∗", "~": "\u00a0"}.get(token, token)), False

    def command(self, name: str) -> tuple[str, bool]:
        """Reads what follows a command's name and writes it."""
        if name in GREEK:
            return f"<mi>{GREEK[name]}</mi>", False
        if name in LARGE:
            return operator(LARGE[name], movablelimits="true"), name != "int"
        if name in LIMITS:
            return operator({"argmax": "arg max", "argmin": "arg min"}.get(name, name), movablelimits="true"), True
        if name in FUNCTIONS:
            return f'<mrow><mi>{name}</mi><mspace width="0.1em"/></mrow>', False
        if name in TEXTS:
            return self.words(name), name == "operatorname*"
        if name in ACCENTS:
            stretchy = "true" if name.startswith(("wide", "over")) else "false"
            return f'<mover accent="true">{self.group()}{operator(ACCENTS[name], stretchy=stretchy)}</mover>', False
        if name in ("underbrace", "overbrace"):
            tag, brace = ("munder", "⏟") if name == "underbrace" else ("mover", "⏞")
            return f"<{tag}>{self.group()}{operator(brace, stretchy='true')}</{tag}>", True
        if name in ("mathbf", "mathbb", "mathcal", "boldsymbol", "bm"):
            style = "mathbf" if name in ("boldsymbol", "bm") else name
            return re.sub(r"(<m[in]>)(.)(?=</m)", lambda m: m[1] + alphabet(style, m[2]), self.group()), False
        return self.built(name), False

    def words(self, name: str) -> str:
        """Writes upright words."""
        text = re.sub(r"\\([,; ])", " ", self.raw())
        text = re.sub(r"\\([_%&#{}])", r"\1", text)
        if name in ("text", "textrm", "textbf", "textit"):
            return f"<mtext>{escape(text).replace(' ', '&#160;')}</mtext>"
        variant = ' mathvariant="normal"' if len(text) == 1 else ""
        space = '<mspace width="0.1em"/>' if name.startswith("operatorname") else ""
        return f"<mrow><mi{variant}>{escape(text.strip())}</mi>{space}</mrow>"

    def built(self, name: str) -> str:
        """Writes a fraction, a root, a fence, a table, a space or a sign."""
        if name in ("frac", "tfrac", "dfrac"):
            over, under = self.group(), self.group()
            small = ' displaystyle="false" scriptlevel="+1"' if name == "tfrac" else ""
            fraction = f"<mfrac>{over}{under}</mfrac>"
            return f"<mstyle{small}>{fraction}</mstyle>" if small else fraction
        if name in ("overset", "underset"):
            mark, base = self.group(), self.group()
            tag = "mover" if name == "overset" else "munder"
            return f"<{tag}>{base}{mark}</{tag}>"
        if name == "binom":
            pair = f'<mfrac linethickness="0">{self.group()}{self.group()}</mfrac>'
            return f"<mrow>{operator('(', stretchy='true')}{pair}{operator(')', stretchy='true')}</mrow>"
        if name == "sqrt":
            if self.peek() == "[":
                self.next()
                degree = one(self.row("]"))
                self.next()
                return f"<mroot>{self.group()}{degree}</mroot>"
            return f"<msqrt>{self.group()}</msqrt>"
        if name == "left":
            return self.fenced()
        if name == "begin":
            return self.table(self.raw())
        if name in SIZES:
            return operator(self.fence(), stretchy="false")
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}em"/>'
        if name in SILENT:
            return ""
        if name in OPERATORS:
            return operator(OPERATORS[name])
        if f"\\{name}" in FENCES:
            return operator(FENCES[f"\\{name}"], stretchy="false")
        if name in "%&#_$":
            return operator(name)
        raise self.fail(f"\\{name} is not known")

    def fence(self) -> str:
        token = self.next()
        if token not in FENCES:
            raise self.fail(f"{token!r} is no bracket")
        return FENCES[token]

    def fenced(self) -> str:
        """Writes what stands between brackets that grow with it."""
        opening = self.fence()
        inner = "".join(self.row("\\right"))
        self.next()
        closing = self.fence()
        brackets = [operator(each, stretchy="true") if each else "" for each in (opening, closing)]
        return f"<mrow>{brackets[0]}{inner}{brackets[1]}</mrow>"

    def table(self, kind: str) -> str:
        """Writes cases, matrices and aligned lines."""
        if kind not in TABLES and kind not in UNFENCED:
            raise self.fail(f"\\begin{{{kind}}} is not known")
        if kind == "array":
            self.raw()
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append("".join(self.row("&", "\\\\", "\\end")))
            end = self.next()
            if end == "\\\\":
                rows.append([])
            elif end == "\\end":
                self.raw()
                break
        rows = [cells for cells in rows if any(cells)]
        align = "left" if kind == "cases" else "center"
        places = ["right", "left"] if kind in ("aligned", "align", "align*", "split") else [align]
        lines = ""
        for cells in rows:
            sides = (places[i % len(places)] for i in range(len(cells)))
            written = (f'<mtd style="text-align: {side}">{cell}</mtd>' for side, cell in zip(sides, cells, strict=True))
            lines += f"<mtr>{''.join(written)}</mtr>"
        opening, closing = TABLES.get(kind, ("", ""))
        style = ' displaystyle="true"' if kind in ("aligned", "align", "align*", "split", "gathered") else ""
        brackets = [operator(each, stretchy="true") if each else "" for each in (opening, closing)]
        return f"<mrow>{brackets[0]}<mtable{style}>{lines}</mtable>{brackets[1]}</mrow>"
