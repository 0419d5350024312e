"""Problem files that must be refused: a name, the file, and words that the one-line message must hold.

Each file is what a user might write. The words are what went wrong, where, and the cure; all of them must occur. The
command line runs the same table.
"""

HEAD = """
import jax.numpy as jnp
import numpy as np
import lawful as lf

time = lf.Box(t=(0, 2))
bar = lf.Box(x=(-1, 1), t=(0, 2))
t = np.linspace(0.1, 1.9, 7)
seen = {"t": t, "u": np.exp(-t)}
spots = {"x": 0 * t, "t": t, "u": np.exp(-t)}

def decay(u, u_t, k):
    return u_t + k * u

def heat(u_t, u_xx, k):
    return u_t - k * u_xx

start = lf.Value(time.at(t=0), u=1.0)
cold = lf.Value(bar.at(x=(-1, 1)), u=0.0)
bump = lf.Value(bar.at(t=0), u=lambda x: jnp.cos(jnp.pi * x / 2))
"""


def forward(**changes: str) -> str:
    """A decay with everything known, but for what is changed."""
    parts = {"domain": "time", "fields": '"u"', "laws": '{"decay": decay}', "conditions": "[start]"}
    return stated({**parts, "constants": '{"k": 1.0}', **changes})


def inverse(**changes: str) -> str:
    """A decay whose rate is to be found, but for what is changed."""
    parts = {"domain": "time", "fields": '"u"', "laws": '{"decay": decay}', "conditions": "[start]"}
    return stated({**parts, "unknowns": '{"k": lf.Positive()}', "data": "lf.Data(seen)", **changes})


def bar(**changes: str) -> str:
    """Heat in a bar with everything known, but for what is changed."""
    parts = {"domain": "bar", "fields": '"u"', "laws": '{"heat": heat}', "conditions": "[cold, bump]"}
    return stated({**parts, "constants": '{"k": 1.0}', **changes})


def stated(parts: dict[str, str]) -> str:
    lines = "".join(f"    {name}={text},\n" for name, text in parts.items() if text)
    return f"{HEAD}\nproblem = lf.Problem(\n{lines})\n"


NAMES = {
    "wrong name in a law": (forward(laws='{"decay": lambda u, u_tt, kk: u_tt + kk * u}'), "law 'decay'|'kk'|mean 'k'"),
    "derivative along no axis": (forward(laws='{"decay": lambda u, u_x: u_x + u}'), "law 'decay'|'u_x'|mean 'u_t'"),
    "derivative of a constant": (forward(laws='{"decay": lambda u, u_t, k_t: u_t + k_t}'), "'k_t'|neither declared"),
    "name with the wrong case": (forward(laws='{"decay": lambda U, u_t, k: u_t + k * U}'), "'U'|mean 'u'"),
    "field misspelt": (forward(fields='"U"'), "law 'decay'|'u'|mean 'U'"),
    "axis collides with a field": (forward(fields='"u, t"'), "'t' is declared twice|axis|field|rename"),
    "constant collides with an unknown": (inverse(constants='{"k": 1.0}'), "'k' is declared twice|rename"),
    "field named twice": (forward(fields='"u, u"'), "'u' is named twice|name each field once"),
    "no field": (forward(fields='""'), 'at least one field|fields="u"'),
    "fields as a number": (forward(fields="1"), 'fields must be names|"u, v"'),
    "field names that are no names": (forward(fields="[1, 2]"), 'fields must be names|"u, v"'),
    "field name with a dash": (forward(fields='"u-v"'), "field name 'u-v'|letters, digits"),
    "constant named like a keyword": (forward(constants='{"k": 1.0, "lambda": 2.0}'), "'lambda'|no Python keyword"),
    "field named like a part of the solution": (forward(fields='"noise"'), "'noise'|a solution has a part|rename"),
    "name of the value of a condition": (
        forward(conditions="[lf.Value(time.at(t=0), u=lambda x: x)]"),
        "value of 'u' at t = 0|'x'|Known names",
    ),
    "condition on a constant": (
        forward(conditions="[lf.Value(time.at(t=0), k=1.0)]"),
        "sets 'k'|not a field or a derived quantity",
    ),
    "condition on a misspelt field": (
        forward(conditions="[lf.Value(time.at(t=0), v=1.0)]"),
        "Value at t = 0|'v'|Known names",
    ),
    "periodic in a misspelt field": (
        bar(conditions='[lf.Periodic(bar.at(x=(-1, 1)), "U"), bump]'),
        "Periodic names 'U'|mean 'u'",
    ),
    "free in no field": (forward(conditions='[lf.Free(time.at(t=0), "w")]'), "Free names 'w'|Fields: u"),
}

SIGNATURES = {
    "law with star arguments": (forward(laws='{"decay": lambda *q: 0.0}'), "law 'decay'|*q|write out the names"),
    "law with keyword arguments": (forward(laws='{"decay": lambda u, **q: u}'), "law 'decay'|**q|write out the names"),
    "law with a positional-only argument": (
        forward(laws='{"decay": lambda u, /, u_t: u_t + u}'),
        "'u' is positional-only|matched by name",
    ),
    "default that hides a constant": (
        forward(laws='{"decay": lambda u, u_t, k=3.0: u_t + k * u}'),
        "law 'decay'|'k' a default|drop the default",
    ),
    "law as text": (forward(laws='{"decay": "u_t + k * u"}'), "law 'decay'|must be a function|str"),
    "law as a number": (forward(laws='{"decay": 0.0}'), "law 'decay'|must be a function|float"),
    "laws as a list": (forward(laws="[decay]"), "laws must be a mapping|list|{"),
    "laws as a function": (forward(laws="decay"), "laws must be a mapping|function"),
    "no law": (forward(laws="{}"), "no law|write laws="),
    "conditions as a single one": (forward(conditions="start"), "conditions must be a list|Value"),
    "conditions with a number": (forward(conditions="[1.0]"), "conditions must hold|lf.Value(|float"),
    "unknown as a number": (inverse(unknowns='{"k": 0.1}'), "unknown 'k'|lf.Positive(guess=1.0)|0.1"),
    "unknown as a class": (inverse(unknowns='{"k": lf.Positive}'), "unknown 'k'|lf.Positive(guess=1.0)"),
    "unknowns as a list": (inverse(unknowns='["k"]'), "unknowns must be a mapping|list"),
    "unknown among the constants": (forward(constants='{"k": lf.Positive()}'), "constant 'k'|belongs in unknowns"),
    "domain as a dictionary": (
        forward(domain='{"t": (0, 2)}', conditions="[]"),
        "domain must be a Box|lf.Box(t=(0, 1))",
    ),
}

LAWS = {
    "law returns a vector": (
        forward(laws='{"decay": lambda u, u_t, k: jnp.stack([u_t, k * u])}'),
        "law 'decay'|shape (2,)|one law per component",
    ),
    "law returns nothing": (
        "def silent(u, u_t, k):\n    u_t + k * u\n" + forward(laws='{"decay": silent}'),
        "law 'decay' returns nothing|return",
    ),
    "law returns a truth value": (
        forward(laws='{"decay": lambda u, u_t, k: u > k}'),
        "law 'decay'|bool|one real number",
    ),
    "law returns a complex number": (forward(laws='{"decay": lambda u, u_t, k: 1j * u}'), "law 'decay'|complex|real"),
    "law raises": (forward(laws='{"decay": lambda u, u_t, k: u_t + k[3] * u}'), "law 'decay' fails|IndexError|correct"),
    "law divides by zero": (
        forward(laws='{"decay": lambda u, u_t, k: u * (1 / 0)}'),
        "law 'decay'|ZeroDivisionError",
    ),
    "law with numpy": (
        forward(laws='{"decay": lambda u, u_t, k: u_t + k * np.sin(u)}'),
        "law 'decay'|inside JAX|use jnp functions",
    ),
    "law with an if": (
        forward(laws='{"decay": lambda u, u_t, k: u_t + (k * u if u > 0 else 0)}'),
        "law 'decay'|inside JAX|jnp.where in place of if",
    ),
    "law without a field": (forward(laws='{"decay": decay, "none": lambda k: k}'), "law 'none' uses no field (u)|zero"),
    "field in no law": (forward(fields='"u, v"'), "field 'v' occurs in no law|add the law|drop it"),
    "fewer laws than fields": (
        forward(fields='"u, v"', laws='{"one": lambda u_t, v, k: u_t + k * v}'),
        "1 law cannot determine 2 fields|add the missing law",
    ),
    "derived quantities in a circle": (
        forward(laws='{"a": lambda u, u_t, p, k: u_t + k * p}', derived='{"p": lambda q: q, "q": lambda p: p}'),
        "p and q depend on each other in a circle|break it",
    ),
    "derived quantity with a wrong name": (
        forward(derived='{"p": lambda w: w}'),
        "derived quantity 'p'|'w'|Known names",
    ),
    "derived quantity that is a vector": (
        forward(laws='{"a": lambda u, u_t, p, k: u_t + k * u + 0 * p}', derived='{"p": lambda u: jnp.stack([u, u])}'),
        "derived quantity 'p'|shape (2,)|one quantity per component",
    ),
    "derived quantity that is not used": (
        forward(derived='{"p": lambda u: 2 * u}'),
        "'p' is declared but no law|drop it",
    ),
}

CONDITIONS = {
    "missing initial value": (
        forward(conditions="[]"),
        "'u' needs 1 condition along t but has 0|lf.Value(domain.at(t=0), u=...)|lf.Free(",
    ),
    "missing initial rate": (
        forward(laws='{"spring": lambda u, u_tt, k: u_tt + k * u}'),
        "'u' needs 2 conditions along t but has 1|lf.Value(domain.at(t=0), u_t=...)",
    ),
    "missing boundary at one end": (
        bar(conditions="[lf.Value(bar.at(x=1), u=0.0), bump]"),
        "'u' needs 2 conditions along x but has 1|lf.Value(domain.at(x=-1), u=...)",
    ),
    "missing boundary at both ends": (bar(conditions="[bump]"), "'u' needs 2 conditions along x but has 0|lf.Value("),
    "missing start of one field of a system": (
        forward(
            fields='"a, b"',
            laws='{"one": lambda a_t, b, k: a_t - k * b, "two": lambda b_t, a, k: b_t + k * a}',
            conditions="[lf.Value(time.at(t=0), a=1.0)]",
        ),
        "'b' needs 1 condition along t but has 0|lf.Value(domain.at(t=0), b=...)",
    ),
    "too many conditions in time": (
        forward(conditions="[lf.Value(time.at(t=(0, 2)), u=1.0)]"),
        "'u' has 2 conditions along t|only 1 derivative|drop 1",
    ),
    "too many conditions in space": (
        bar(conditions="[cold, bump, lf.Flux(bar.at(x=-1), u=0.0)]"),
        "'u' has 3 conditions along x|only 2 derivatives|drop 1",
    ),
    "condition along an axis without a derivative": (
        bar(laws='{"decay": decay}'),
        "'u' has 2 conditions along x|its law has no derivative there|drop 2",
    ),
    "the same condition twice": (forward(conditions="[start, start]"), "u on the lower end of t is set twice|merged"),
    "the same flux twice": (
        bar(conditions="[lf.Flux(bar.at(x=(-1, 1)), u=0.0), lf.Value(bar.at(x=1), u_x=0.0), bump]"),
        "u_x on the upper end of x is set twice|merged",
    ),
    "value on a periodic axis": (
        bar(conditions="[lf.Periodic(bar.at(x=(-1, 1))), lf.Value(bar.at(x=1), u=0.0), bump]"),
        "u on the upper end of x|periodic along x|drop one",
    ),
    "periodic on one end": (
        bar(conditions="[lf.Periodic(bar.at(x=1)), bump]"),
        "Periodic needs both ends|lf.Periodic(domain.at(x=(-1, 1)))",
    ),
    "start that is not periodic": (
        bar(conditions="[lf.Periodic(bar.at(x=(-1, 1))), lf.Value(bar.at(t=0), u=lambda x: x)]"),
        "u on the lower end of t differs between the two ends of x|make its formula periodic",
    ),
    "contradiction at a corner": (
        bar(conditions="[cold, lf.Value(bar.at(t=0), u=lambda x: 1 + x)]"),
        "contradict each other at the corner x=1, t=0|says 2|says 0|make them agree there",
    ),
    "contradiction at a corner through an unknown": (
        bar(
            conditions="[cold, lf.Value(bar.at(t=0), u=lambda u0: u0)]",
            unknowns='{"u0": lf.Real(guess=0.0)}',
            data="lf.Data(spots)",
        ),
        "contradict each other at the corner|agree for one value of u0 only|make them agree there",
    ),
    "condition inside the domain": (
        HEAD + "bar.at(x=0.5)\n",
        "at(x=0.5) is not on the boundary|'x' ends at -1 and 1|belongs in data",
    ),
    "condition on an unknown axis": (HEAD + "bar.at(y=0)\n", "no axis 'y'|Axes: x and t"),
    "condition on two axes": (HEAD + "bar.at(x=1, t=0)\n", "one axis|at(x=-1)"),
    "condition at text": (HEAD + 'bar.at(x="left")\n', "'left'|give a number|at(x=-1)"),
    "condition without a part": (forward(conditions='[lf.Value("t = 0", u=1.0)]'), "lf.Value(domain.at(t=0)|'t = 0'"),
    "condition without a field": (forward(conditions="[lf.Value(time.at(t=0))]"), "names no field|Value(part, u=0.0)"),
    "condition of another box": (
        forward(conditions="[lf.Value(lf.Box(t=(0, 3)).at(t=0), u=1.0)]"),
        "t = 0|another domain|the problem's own",
    ),
    "value as text": (forward(conditions='[lf.Value(time.at(t=0), u="1.0")]'), "value of 'u'|'1.0'|u=0.0"),
    "value that is complex": (forward(conditions="[lf.Value(time.at(t=0), u=1j)]"), "value of 'u'|complex|u=0.0"),
    "value that is an array": (
        forward(conditions="[lf.Value(time.at(t=0), u=np.ones(3))]"),
        "value of 'u'|shape (3,)|one number at each point",
    ),
    "value that is NaN": (forward(conditions="[lf.Value(time.at(t=0), u=np.nan)]"), "value of 'u'|not finite|u=0.0"),
    "value that is an unknown": (
        inverse(conditions="[lf.Value(time.at(t=0), u=lf.Real())]"),
        "value of 'u'|Real(|lambda t",
    ),
    "value function that is a vector": (
        bar(conditions="[cold, lf.Value(bar.at(t=0), u=lambda x: jnp.stack([x, x]))]"),
        "value of 'u' at t = 0|shape (2,)|one number at each point",
    ),
    "value function that is NaN": (
        bar(conditions="[cold, lf.Value(bar.at(t=0), u=lambda x: jnp.sqrt(x))]"),
        "u on the lower end of t is not finite|check its formula",
    ),
    "value function that raises": (
        bar(conditions="[cold, lf.Value(bar.at(t=0), u=lambda x: x.missing)]"),
        "value of 'u' at t = 0 fails|AttributeError|correct",
    ),
    "value function with numpy": (
        bar(conditions="[cold, lf.Value(bar.at(t=0), u=lambda x: np.cos(np.pi * x / 2))]"),
        "value of 'u' at t = 0|inside JAX|use jnp functions",
    ),
}

DATA = {
    "data outside the domain": (
        inverse(data='lf.Data({"t": [0.5, 2.5], "u": [0.6, 0.1]}, name="probe")'),
        "probe: row 1 (t = 2.5)|outside the domain (t in [0, 2])|widen the box or drop 1 row",
    ),
    "data with NaN": (
        inverse(data='lf.Data({"t": t, "u": np.where(t > 1, t, np.nan)})'),
        "column 'u'|nan in row 0|remove those rows",
    ),
    "data with unequal columns": (
        inverse(data='lf.Data({"t": [1, 2], "u": [1]})'),
        "t has 2 and u has 1|one row per measurement",
    ),
    "data without a coordinate": (
        bar(data='lf.Data({"x": 0 * t, "u": t}, name="probe")'),
        "probe has no column for the coordinate t|add it|x and u",
    ),
    "data with coordinates only": (inverse(data='lf.Data({"t": t})'), "coordinates only|named like the field (u)"),
    "data in an unknown column": (
        inverse(data='lf.Data({"t": t, "uu": t})'),
        "column 'uu'|mean 'u'|rename the column|observe={'uu'",
    ),
    "data in a column of nothing known": (
        inverse(data='lf.Data({**seen, "humidity": t})'),
        "column 'humidity'|Quantities: u|leave it out|observe=",
    ),
    "data of a constant": (forward(data='lf.Data({"t": t, "k": t})'), "column 'k'|constant or unknown|in a prior"),
    "data as text": (inverse(data='lf.Data({"t": t, "u": ["a"] * 7})'), "column 'u' holds text ('a' in row 0)"),
    "data that are complex": (inverse(data='lf.Data({"t": t, "u": t + 1j})'), "column 'u' holds complex numbers"),
    "data with dates": (
        inverse(data='lf.Data({"t": np.datetime64("2024-01-01") + np.arange(7), "u": t})'),
        "column 't' holds dates|seconds since the start",
    ),
    "data as a path": (inverse(data='lf.Data("probe.csv")'), "columns come by name|lf.Data.read(path)"),
    "data as an array": (inverse(data="lf.Data(np.ones((7, 2)))"), "columns come by name|lf.Data({"),
    "data as a table": (
        "import pandas as pd\n" + inverse(data="pd.DataFrame(seen)"),
        "data must be a list|lf.Data({|DataFrame",
    ),
    "data as a list of tables": (
        "import pandas as pd\n" + inverse(data="[pd.DataFrame(seen)]"),
        "data must hold|lf.Data({|DataFrame",
    ),
    "data file that does not exist": (
        inverse(data='lf.Data.read("no_such_file.csv")'),
        "no_such_file.csv does not exist|give the path",
    ),
    "two data sets of one name": (inverse(data="[lf.Data(seen), lf.Data(seen)]"), "2 data sets|'data'|name="),
    "noise of zero": (inverse(data="lf.Data(seen, noise=0.0)"), "data: noise must be positive and finite|leave it out"),
    "noise below zero": (inverse(data='lf.Data(seen, noise={"u": -0.1})'), "noise of 'u'|positive and finite"),
    "noise of the wrong shape": (
        inverse(data="lf.Data(seen, noise=[0.1, 0.2])"),
        "data: noise has shape (2,)|7 of them",
    ),
    "noise as text": (inverse(data='lf.Data(seen, noise="auto")'), "data: noise must be a number|'auto'"),
    "noise of an unknown column": (inverse(data='lf.Data(seen, noise={"v": 0.1})'), "noise names 'v'|Columns: t and u"),
    "observation of an unknown column": (
        inverse(data='lf.Data(seen, observe={"v": lambda u: u})'),
        "observe names 'v'|Columns: t and u",
    ),
    "observation with a wrong name": (
        inverse(data='lf.Data({**seen, "s": t}, observe={"s": lambda w: w})'),
        "observe['s']|'w'|Known names",
    ),
    "observation that is a vector": (
        inverse(data='lf.Data({**seen, "s": t}, observe={"s": lambda u: jnp.stack([u, u])})'),
        "observe['s']|shape (2,)|one column per component",
    ),
    "observation of a coordinate": (
        inverse(data='lf.Data(seen, observe={"t": lambda u: u})'),
        "observe names the coordinate 't'",
    ),
}

UNKNOWNS = {
    "unknown without data": (inverse(data=""), "k cannot be found without data|data=[...]|constants"),
    "unknown that nothing uses": (
        inverse(unknowns='{"k": lf.Positive(), "q": lf.Real()}'),
        "'q' is declared but no law|use it or drop it",
    ),
    "guess that is not positive": (
        inverse(unknowns='{"k": lf.Positive(guess=-1.0)}'),
        "Positive(guess=-1.0)|above zero|use Real",
    ),
    "guess out of bounds": (
        inverse(unknowns='{"k": lf.Bounded(0, 1, guess=2)}'),
        "Bounded(0, 1, guess=2)|strictly between the bounds",
    ),
    "bounds reversed": (inverse(unknowns='{"k": lf.Bounded(1, 0)}'), "Bounded(1, 0)|lower bound must be below"),
    "guess as text": (inverse(unknowns='{"k": lf.Real(guess="0.1")}'), "Real(guess='0.1')|must be a number"),
    "guess that is NaN": (inverse(unknowns='{"k": lf.Real(guess=np.nan)}'), "Real(guess=nan)|finite"),
    "scale of zero": (inverse(unknowns='{"k": lf.Real(guess=1.0, scale=0)}'), "scale=0|positive and finite"),
    "prior of the wrong kind": (
        inverse(unknowns='{"k": lf.Positive(prior=lf.Smooth())}'),
        "prior|lf.Normal(mean, sd)|Smooth",
    ),
    "prior of an unknown field of the wrong kind": (
        bar(unknowns='{"k": lf.Positive(over="x", prior=lf.Normal(0, 1))}', constants="", data="lf.Data(spots)"),
        "prior of an unknown field|lf.Smooth(length, sd)",
    ),
    "prior without width": (
        inverse(unknowns='{"k": lf.Real(prior=lf.Normal(1.0, 0.0))}'),
        "Normal(mean=1.0, sd=0.0)|sd positive",
    ),
    "unknown field over a missing axis": (
        bar(unknowns='{"k": lf.Positive(over="y")}', constants="", data="lf.Data(spots)"),
        "unknown field 'k'|'y'|Axes: x and t",
    ),
    "unknown field with many guesses": (
        bar(unknowns='{"k": lf.Positive([1.0, 2.0], over="x")}', constants="", data="lf.Data(spots)"),
        "unknown field 'k'|one number|shape (2,)",
    ),
    "unknown field with too few modes": (
        bar(unknowns='{"k": lf.Positive(over="x", prior=lf.Smooth(length=0.01))}', constants="", data="lf.Data(spots)"),
        "Smooth(length=0.01|needs more basis functions|modes=",
    ),
    "constant that is NaN": (forward(constants='{"k": np.nan}'), "constant 'k' is nan|must be finite"),
    "constant as text": (forward(constants='{"k": "9.81"}'), "constant 'k'|'9.81'|give a number"),
    "constant that is complex": (forward(constants='{"k": np.array([1j])}'), "constant 'k'|complex"),
    "constant that is nothing": (forward(constants='{"k": None}'), "constant 'k'|nothing|give a number"),
}

BOXES = {
    "axis reversed": (HEAD + "lf.Box(x=(1, 0))\n", "axis 'x' runs from 1 to 0|second end must be larger"),
    "axis without length": (HEAD + "lf.Box(x=(1, 1))\n", "axis 'x'|second end must be larger"),
    "axis without end": (HEAD + "lf.Box(t=(0, np.inf))\n", "axis 't'|both finite"),
    "axis with one end": (HEAD + "lf.Box(t=5)\n", "axis 't'|(lower, upper)|t=(0, 1)"),
    "axis as text": (HEAD + 'lf.Box(t=("0", "1"))\n', "axis 't'|two numbers|t=(0, 1)"),
    "no axis": (HEAD + "lf.Box()\n", "no axis|Box(t=(0, 1))"),
    "axis named like a keyword": (HEAD + 'lf.Box(**{"is": (0, 1)})\n', "axis name 'is'|no Python keyword"),
    "axis named like a part of the solution": (
        HEAD + 'lf.Problem(lf.Box(model=(0, 1)), "u", {"a": lambda u_model: u_model})\n',
        "'model'|a solution has a part|rename",
    ),
}

SHAPE_HEAD = """
import jax.numpy as jnp
import numpy as np
import lawful as lf

disk = lf.Disk(x=0, y=0, radius=1)
ring = disk - lf.Disk(x=0, y=0, radius=0.4, label="hole")
square = lf.Polygon(x=[0, 1, 1, 0], y=[0, 0, 1, 1])
rod = disk * lf.Box(t=(0, 1))
edge = disk.boundary("edge")

def poisson(u_xx, u_yy):
    return u_xx + u_yy + 1

def heat(u_t, u_xx, u_yy):
    return u_t - u_xx - u_yy

def plate(w_xxxx, w_xxyy, w_yyyy):
    return w_xxxx + 2 * w_xxyy + w_yyyy - 1
"""


def shaped(conditions: str, domain: str = "disk", law: str = "poisson", field: str = "u", more: str = "") -> str:
    """A law on a shape."""
    return f'{SHAPE_HEAD}\nproblem = lf.Problem({domain}, "{field}", {{"law": {law}}}, [{conditions}]{more})\n'


SHAPES = {
    "no condition on a disk": (
        shaped(""),
        "'u' needs 1 condition on edge but has none at x=|lf.Value(domain.boundary(\"edge\"), u=...)|lf.Free(",
    ),
    "no condition on a hole": (
        shaped("lf.Value(ring.boundary('edge'), u=0.0)", "ring"),
        "'u' needs 1 condition on hole but has none|lf.Value(domain.boundary(\"hole\"), u=...)",
    ),
    "condition on half of a disk": (
        shaped("lf.Value(disk.boundary('edge', where=lambda x: x), u=0.0)"),
        "'u' needs 1 condition on edge but has none at x=-|lf.Value(",
    ),
    "condition on three sides of a square": (
        shaped("*[lf.Value(square.boundary(f'side {i}'), u=0.0) for i in range(3)]", "square"),
        'needs 1 condition on side 3 but has none at x=0, y=|domain.boundary("side 3")',
    ),
    "one condition for a plate": (
        shaped("lf.Value(edge, w=0.0)", law="plate", field="w"),
        "'w' needs 2 conditions on edge but has 1|lf.Flux(domain.boundary(\"edge\"), w=...)",
    ),
    "value and derivative for a law of second order": (
        shaped("lf.Value(edge, u=0.0), lf.Flux(edge, u=1.0)"),
        "'u' has 2 conditions on edge|u on edge and outward derivative of u on edge|only 1 there|drop 1",
    ),
    "condition on a shape for a law without derivatives there": (
        shaped("lf.Value(rod.boundary('edge'), u=0.0), lf.Value(rod.at(t=0), u=0.0)", "rod", "lambda u, u_t: u_t + u"),
        "'u' has 1 condition on edge|asks for none there|drop 1",
    ),
    "the same value twice on a disk": (
        shaped("lf.Value(edge, u=0.0), lf.Value(edge, u=1.0)"),
        "u on edge is set twice at x=|merged into one",
    ),
    "values that jump at a corner": (
        shaped(
            "*[lf.Value(square.boundary(f'side {i}'), u=0.0) for i in range(3)],"
            " lf.Value(square.boundary('side 3'), u=1.0)",
            "square",
        ),
        "contradict each other at x=0, y=|says 0|u on side 3 says 1|make them agree there",
    ),
    "start against the wall": (
        shaped("lf.Value(rod.boundary('edge'), u=0.0), lf.Value(rod.at(t=0), u=1.0)", "rod", "heat"),
        "contradict each other at x=|t=0|u on edge says 0|u on the lower end of t says 1|short ramp",
    ),
    "no start on a shape": (
        shaped("lf.Value(rod.boundary('edge'), u=0.0)", "rod", "heat"),
        "'u' needs 1 condition along t but has 0|lf.Value(domain.at(t=0), u=...)",
    ),
    "part of the shape without time": (
        shaped("lf.Value(edge, u=0.0), lf.Value(rod.at(t=0), u=0.0)", "rod", "heat"),
        "edge belongs to another domain|domain.boundary(...)",
    ),
    "periodic on a disk": (shaped("lf.Periodic(edge)"), "Periodic needs both ends of one axis|not edge"),
    "ends of a disk": (shaped("lf.Value(disk.at(x=1), u=0.0)"), "Disk has no face|boundary('edge')"),
    "misspelt piece": (shaped("lf.Value(disk.boundary('egde'), u=0.0)"), "no piece 'egde'|mean 'edge'"),
    "value that is NaN on a disk": (
        shaped("lf.Value(edge, u=lambda x: jnp.sqrt(x))"),
        "u on edge is not finite at x=-|check its formula",
    ),
    "wall that is not periodic": (
        shaped(
            "lf.Periodic(rod.at(t=(0, 1))), lf.Value(rod.boundary('edge'), u=lambda t: t)",
            "rod",
            "lambda u_tt, u_xx, u_yy: u_tt + u_xx + u_yy",
        ),
        "u on edge differs between the two ends of t|make its formula periodic",
    ),
    "data outside a disk": (
        shaped(
            "lf.Value(edge, u=lambda k: k)",
            more=", unknowns={'k': lf.Real()}, data=lf.Data({'x': [0.9], 'y': [0.9], 'u': [1.0]})",
        ),
        "row 0 (x = 0.9, y = 0.9) lies outside the domain (a Disk|widen the disk or drop 1 row",
    ),
    "part of a face of a box": (
        HEAD + "plane = lf.Box(x=(0, 1), y=(0, 1))\n"
        'problem = lf.Problem(plane, "u", {"law": lambda u_xx, u_yy: u_xx + u_yy},'
        " [lf.Value(plane.boundary('x = 0', where=lambda y: y - 0.5), u=0.0)])\n",
        "part of a face of a Box|x = 0|Polygon",
    ),
}

REGION_HEAD = """
import lawful as lf

cold, warm = lf.Box(x=(0, 0.4)), lf.Box(x=(0.4, 1))
wall = lf.Regions(cold=cold, warm=warm)
ends = [lf.Value(wall.at(x=0), T=0.0), lf.Value(wall.at(x=1), T=1.0)]
touching = wall.interface("cold", "warm")
conductivity = {"cold": 1.0, "warm": 2.0}
"""


def layered(conditions: str = "", k: str = "conductivity", domain: str = "wall") -> str:
    """Conduction through two materials."""
    return (
        f'{REGION_HEAD}\nproblem = lf.Problem({domain}, "T", {{"heat": lambda q_x: q_x}}, [*ends, {conditions}],'
        f' derived={{"q": lambda k, T_x: -k * T_x}}, constants={{"k": {k}}})\n'
    )


REGIONS = {
    "nothing said where regions touch": (
        layered(),
        "2 quantities of 'T' must agree on the interface of 'cold' and 'warm'|none|lf.Continuous(",
    ),
    "temperature but no flux where regions touch": (
        layered('lf.Continuous(touching, "T")'),
        "2 quantities of 'T'|there are 1|lf.Continuous(",
    ),
    "three quantities for a law of second order": (
        layered('lf.Continuous(touching, "T", "q", "T_x")'),
        "3 quantities of 'T' (T, q and T_x)|drop 1",
    ),
    "continuous where nothing touches": (layered('lf.Continuous(cold.at(x=0), "T", "q")'), "is no interface of 'cold'"),
    "regions with a gap": (
        HEAD + "lf.Regions(a=lf.Box(x=(0, 1)), b=lf.Box(x=(1.1, 2)))\n",
        "regions b touch none of a|use the same numbers on both sides",
    ),
    "regions that overlap": (
        HEAD + "lf.Regions(a=lf.Box(x=(0, 1)), b=lf.Box(x=(0.9, 2)))\n",
        "'a' and 'b' overlap, at x=|subtract one from the other",
    ),
    "constant given for one region only": (layered(k='{"cold": 1.0}'), "'k' is given by region, but not in warm"),
    "constant of a region that there is not": (
        layered(k='{"cold": 1.0, "worm": 2.0}'),
        "'k' names the region 'worm'|did you mean 'warm'",
    ),
}

BAD_PROBLEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    name: (source, tuple(words.split("|")))
    for table in (NAMES, SIGNATURES, LAWS, CONDITIONS, DATA, UNKNOWNS, BOXES, SHAPES, REGIONS)
    for name, (source, words) in table.items()
}
"""Name of the mistake -> (text of the file, words of the message)."""
