"""Random textures of a ring's tile, of five families: what a generator learns from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._ring import CONTROLS

Points = Float[np.ndarray, "16 16"]

FINE = 4  # places by control point at which shapes are drawn before they are averaged
PLACES = (np.arange(CONTROLS * FINE) + 0.5) / (CONTROLS * FINE)
X, Y = PLACES[:, None], PLACES[None]  # around the ring, across it, by the side of a tile


def texture(rng: np.random.Generator) -> Points:
    """One of them: herringbones, spiral grooves, dimples, random fields, or two of these side by side."""
    kinds = (herringbone, spiral, dimples, random_field)
    kind = rng.choice(5, p=[0.3, 0.15, 0.15, 0.2, 0.2])
    if kind < 4:
        return scaled(kinds[kind](rng), rng)
    one, other = (kinds[rng.choice(4, p=[0.5, 0.2, 0.1, 0.2])](rng) for _ in range(2))
    how = rng.integers(3)
    mixed = np.maximum(one, other) if how == 0 else np.minimum(one, other) if how == 1 else 0.5 * (one + other)
    return scaled(mixed, rng)


def scaled(shape: Points, rng: np.random.Generator) -> Points:
    """Shallower than the deepest allowed, and one in five with a little of a random field on top."""
    shape = rng.uniform(0.25, 1.0) * shape
    if rng.random() < 0.2:
        shape = shape + rng.uniform(0.05, 0.25) * (random_field(rng) - 0.5)
    return np.clip(shape, 0.0, 1.0)


def averaged(inside: np.ndarray, sharp: float) -> Points:
    """Control points of a signed distance to an outline, by the side; walls as wide as 1 / sharp of a tile."""
    fine = np.clip(0.5 + sharp * inside, 0.0, 1.0)
    return fine.reshape(CONTROLS, FINE, CONTROLS, FINE).mean((1, 3))


def across(rng: np.random.Generator) -> np.ndarray:
    """How far across the ring grooves reach: through both rims, or to a dam at one or both of them."""
    low, high = (rng.uniform(0.05, 0.25) if rng.random() < 0.4 else -1.0 for _ in range(2))
    return np.minimum(Y - low, (1 - high) - Y)


def herringbone(rng: np.random.Generator) -> Points:
    count, width = int(rng.integers(1, 4)), rng.uniform(0.25, 0.75)
    slope = rng.uniform(0.3, 2.5) * (-1 if rng.random() < 0.85 else 1)
    apex, land = rng.uniform(0.3, 0.7), rng.uniform(0.0, 0.25) if rng.random() < 0.5 else 0.0
    away = np.abs(Y - apex)
    along = X - slope * np.where(rng.random() < 0.2, away**1.5, away) + rng.random()
    inside = 0.5 * width / count - np.abs(((along * count) % 1.0) - 0.5) / count
    inside = inside / np.hypot(1.0, slope)
    return averaged(np.minimum(np.minimum(inside, away - 0.5 * land if land else 1.0), across(rng)), sharpness(rng))


def spiral(rng: np.random.Generator) -> Points:
    """Grooves that lean one way, straight or bent."""
    count, width = int(rng.integers(1, 4)), rng.uniform(0.25, 0.75)
    slope, bend = rng.uniform(-2.5, 2.5), rng.uniform(-1.5, 1.5)
    along = X - slope * Y - bend * (Y - 0.5) ** 2 + rng.random()
    inside = (0.5 * width - np.abs(((along * count) % 1.0) - 0.5)) / count / np.hypot(1.0, slope)
    return averaged(np.minimum(inside, across(rng)), sharpness(rng))


def dimples(rng: np.random.Generator) -> Points:
    """One to five ellipses, of any place and direction."""
    inside = np.full((len(PLACES), len(PLACES)), -1.0)
    for _ in range(int(rng.integers(1, 6))):
        a, b, turn = rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.25), rng.uniform(0, np.pi)
        dx, dy = (X - rng.random() + 0.5) % 1.0 - 0.5, Y - rng.random()
        u, v = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
        inside = np.maximum(inside, (1 - np.hypot(u / a, v / b)) * min(a, b))
    return averaged(inside, sharpness(rng))


def random_field(rng: np.random.Generator) -> Points:
    """Gaussian waves that wrap around the ring, pushed towards face and floor; one in three is its own mirror image."""
    turns, halves = int(rng.integers(2, 5)), int(rng.integers(2, 6))
    field = np.zeros((len(PLACES), len(PLACES)))
    for i in range(turns + 1):
        for j in range(halves + 1):
            size = 1 / (1 + np.hypot(i, 0.5 * j) ** 2)
            phase = rng.uniform(0, 2 * np.pi)
            tilt = rng.uniform(0, np.pi)
            field += size * rng.normal() * np.cos(2 * np.pi * i * X + phase + 0 * Y) * np.cos(np.pi * j * Y + tilt)
    if rng.random() < 1 / 3:
        field = 0.5 * (field + field[:, ::-1])
    field = (field - field.mean()) / max(float(field.std()), 1e-12)
    gain = np.exp(rng.uniform(np.log(0.4), np.log(4.0)))
    fine = 0.5 + 0.5 * np.tanh(gain * (field + rng.uniform(-0.8, 0.8)))
    return fine.reshape(CONTROLS, FINE, CONTROLS, FINE).mean((1, 3))


def sharpness(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(4.0), np.log(20.0))))
