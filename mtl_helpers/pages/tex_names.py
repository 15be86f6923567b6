"""What TeX's commands stand for, as far as the course uses them."""

from __future__ import annotations


def pairs_of(text: str) -> dict[str, str]:
    """Reads names, each followed by what it stands for.

    Example:
        >>> pairs_of("alpha α beta β")
        {'alpha': 'α', 'beta': 'β'}
    """
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


GREEK = pairs_of("""
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
    mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ
    Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω ell ℓ partial ∂ nabla ∇ infty ∞ emptyset ∅ hbar ℏ
""")
OPERATORS = pairs_of("""
    cdot · times × pm ± mp ∓ div ÷ ast ∗ circ ∘ odot ⊙ oplus ⊕ otimes ⊗ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈
    sim ∼ simeq ≃ equiv ≡ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ subset ⊂ subseteq ⊆ supset ⊃ cup ∪ cap ∩ setminus ∖
    to → rightarrow → leftarrow ← Rightarrow ⇒ Leftarrow ⇐ leftrightarrow ↔ Leftrightarrow ⇔ iff ⇔ mapsto ↦
    perp ⟂ mid ∣ forall ∀ exists ∃ neg ¬ wedge ∧ vee ∨ star ⋆ colon : prec ≺ succ ≻ dots … ldots … cdots ⋯
    vdots ⋮ ddots ⋱ prime ′ parallel ∥ Longrightarrow ⟹ implies ⟹ longrightarrow ⟶ Longleftrightarrow ⟺
    longmapsto ⟼ uparrow ↑ downarrow ↓ top ⊤ bot ⊥ bullet ∙ lt < gt > land ∧ lor ∨ lnot ¬ ni ∋ varnothing ∅ dagger †
""")
LARGE = {"sum": "∑", "prod": "∏", "int": "∫", "bigcup": "⋃", "bigcap": "⋂", "bigoplus": "⨁"}
FENCES = {
    "(": "(",
    ")": ")",
    "[": "[",
    "]": "]",
    "|": "|",
    ".": "",
    r"\{": "{",
    r"\}": "}",
    r"\lbrace": "{",
    r"\rbrace": "}",
    r"\|": "‖",
    r"\lVert": "‖",
    r"\rVert": "‖",
    r"\Vert": "‖",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\vert": "|",
    r"\langle": "⟨",
    r"\rangle": "⟩",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lceil": "⌈",
    r"\rceil": "⌉",
    "/": "/",
    "<": "⟨",
    ">": "⟩",
}
FUNCTIONS = ("sin", "cos", "tan", "tanh", "sinh", "cosh", "log", "ln", "exp", "arg", "det", "dim", "ker", "Pr", "deg")
LIMITS = ("max", "min", "sup", "inf", "lim", "argmax", "argmin")
SPACES = {"quad": 1.0, "qquad": 2.0, ",": 0.17, ";": 0.28, ":": 0.22, " ": 0.25, "!": -0.17, "~": 0.25, "enspace": 0.5}
ACCENTS = {
    "hat": "^",
    "widehat": "^",
    "bar": "‾",
    "overline": "‾",
    "tilde": "~",
    "widetilde": "~",
    "vec": "→",
    "dot": "˙",
    "ddot": "¨",
}
SIZES = {"big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"}
SILENT = {"displaystyle", "textstyle", "limits", "nolimits", "nonumber", "scriptstyle"}
DOUBLE = {"C": "ℂ", "E": "𝔼", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ", "1": "𝟙"}
SCRIPT = {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ", "e": "ℯ", "g": "ℊ", "o": "ℴ"}


def alphabet(style: str, letter: str) -> str:
    """Gives a letter in another alphabet: ``mathbf``, ``mathbb`` or ``mathcal``.

    Args:
        style: The TeX command, without its backslash.
        letter: One letter.

    Returns:
        The letter's character in Unicode's mathematical alphabets, or the letter itself if it has none.

    Example:
        >>> alphabet("mathbb", "R"), alphabet("mathbf", "x")
        ('ℝ', '𝐱')
    """
    special = {"mathbb": DOUBLE, "mathcal": SCRIPT}.get(style, {})
    if letter in special:
        return special[letter]
    start = {"mathbf": (0x1D400, 0x1D41A), "mathbb": (0x1D538, 0x1D552), "mathcal": (0x1D49C, 0x1D4B6)}.get(style)
    if start is None or not (letter.isascii() and letter.isalpha()):
        return letter
    upper, lower = start
    return chr(upper + ord(letter) - 65) if letter.isupper() else chr(lower + ord(letter) - 97)
