"""Taylor series in extended precision, written for the tests alone: the truth that certificates are held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LONG = np.longdouble
ORDER = 40


class Series:
    """Coefficients (order + 1, cases) of as many series, each found from the lower ones when it is asked for."""

    __array_ufunc__ = None  # an array times a series is a series

    def __init__(self, rule: Callable[[int], np.ndarray]):
        self.rule, self.found = rule, []

    def __getitem__(self, k: int) -> np.ndarray:
        while len(self.found) <= k:
            self.found.append(np.asarray(self.rule(len(self.found)), dtype=LONG))
        return self.found[k]

    def __add__(self, other):
        other = as_series(other)
        return Series(lambda k: self[k] + other[k])

    def __sub__(self, other):
        other = as_series(other)
        return Series(lambda k: self[k] - other[k])

    def __rsub__(self, other):
        return as_series(other) - self

    def __neg__(self):
        return Series(lambda k: -self[k])

    def __mul__(self, other):
        other = as_series(other)
        return Series(lambda k: sum(self[j] * other[k - j] for j in range(k + 1)))

    def __truediv__(self, other):
        other = as_series(other)
        result = Series(lambda k: (self[k] - sum(other[j] * result[k - j] for j in range(1, k + 1))) / other[0])
        return result

    __radd__, __rmul__ = __add__, __mul__


def as_series(value) -> Series:
    if isinstance(value, Series):
        return value
    first = np.asarray(value, dtype=LONG)
    return Series(lambda k: first if k == 0 else np.zeros_like(first))


def exp(u: Series) -> Series:
    y = Series(lambda k: np.exp(u[0]) if k == 0 else sum(j * u[j] * y[k - j] for j in range(1, k + 1)) / LONG(k))
    return y


def sin_cos(u: Series) -> tuple[Series, Series]:
    s = Series(lambda k: np.sin(u[0]) if k == 0 else sum(j * u[j] * c[k - j] for j in range(1, k + 1)) / LONG(k))
    c = Series(lambda k: np.cos(u[0]) if k == 0 else -sum(j * u[j] * s[k - j] for j in range(1, k + 1)) / LONG(k))
    return s, c


def sin(u: Series) -> Series:
    return sin_cos(u)[0]


def cos(u: Series) -> Series:
    return sin_cos(u)[1]


def flow(f: Callable, t: np.ndarray, y: list[np.ndarray], h: np.ndarray, parts: int) -> list[list[np.ndarray]]:
    """The motion y' = f(t, y) at the ends of `parts` equal parts of h, by a series of order 40 in each."""
    t, h = np.asarray(t, dtype=LONG), np.asarray(h, dtype=LONG) / parts
    y, found = [np.asarray(x, dtype=LONG) for x in y], []
    for i in range(parts):
        y = step(f, t + i * h, y, h)
        found.append(y)
    return found


def step(f: Callable, begin: np.ndarray, y: list[np.ndarray], h: np.ndarray) -> list[np.ndarray]:
    """One step of the series."""
    time = Series(lambda k: begin if k == 0 else np.full_like(begin, k == 1))
    states = [Series(lambda k, n=n: y[n] if k == 0 else rates[n][k - 1] / LONG(k)) for n in range(len(y))]
    rates = f(time, states)
    return [sum(x[k] * h**k for k in reversed(range(ORDER + 1))) for x in states]
