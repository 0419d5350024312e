"""Conditions on curved boundaries, and Robin conditions, hold to rounding whatever the trial field does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.calculus import partials
from lawful.fields import MLP, Imposed, Wall, Walls, constrained, vanishing_on
from lawful.geometry import Ball, Box, Disk, Ellipse, Face, Polygon

pytestmark = pytest.mark.usefixtures("float64")

ROUNDING = 1e-12


def restless(domain):
    """A trial field that meets no condition by chance: of size one, changing over the length of the domain."""

    def trial(**point):
        s = [(point[axis] - domain.ends(axis)[0]) / domain.length(axis) for axis in domain.axes]
        return jnp.exp(0.7 * sum(s)) * jnp.cos(1.3 * s[0] - 2.1 * s[-1] + 0.4)

    return trial


def network(domain, seed=0):
    """A random network on the scaled coordinates."""
    trial = MLP(width=6)
    params = jax.tree.map(lambda p: p + 0.2, trial.init(jax.random.PRNGKey(seed), domain.axes, (), 1))

    def field(**point):
        place = {a: 2 * (point[a] - domain.ends(a)[0]) / domain.length(a) - 1 for a in domain.axes}
        return trial(params, place, ())[0]

    return field


def given(**point):
    """Values on a wall, as a function of the place."""
    values = list(point.values())
    return jnp.sin(1.1 * values[0]) + 0.5 * values[1] ** 2


def flow(**point):
    return jnp.cos(0.7 * point["x"]) + 0.1


def factor(**point):
    return -1.5 - 0.5 * jnp.sin(point["y"])


def built(domain, walls, trial, imposed=()):
    values = [wall.surfaces for wall in walls if not wall.normal]
    factor = vanishing_on(values, domain) if values else None
    return constrained(trial, list(imposed), domain, Walls(tuple(walls), factor))


def misses(field, wall, count=40, **further):
    """How far a field is from a condition at points of its pieces."""
    worst = 0.0
    for i, surface in enumerate(wall.surfaces):
        points = {**surface.sample(count, i), **further}
        points = {axis: np.broadcast_to(values, (count,)) for axis, values in points.items()}
        normals = surface.normal(points)
        axes = surface.carrier.axes

        def one(point, normal, axes=axes):
            found = partials(field, ((), *((axis,) for axis in axes)))(**point)
            left = sum(normal[axis] * found[(axis,)] for axis in axes) if wall.normal else found[()]
            right = wall.value(**point)
            return left - right - (0.0 if wall.slope is None else wall.slope(**point) * found[()])

        worst = max(worst, float(jnp.max(jnp.abs(jax.jit(jax.vmap(one))(points, normals)))))
    return worst


DISK = Disk(x=0.2, y=-0.1, radius=1.5)
RING = Disk(x=0, y=0, radius=2) - Disk(x=0.3, y=0.2, radius=0.6, label="hole")
ELLIPSE = Ellipse(x=0, y=0, semi=(2, 1))
HOOK = Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("make", [restless, network])
@pytest.mark.parametrize("domain", [DISK, ELLIPSE, HOOK, RING], ids=["disk", "ellipse", "hook", "ring"])
def test_values(domain, make):
    wall = Wall(domain.pieces, given, False)
    assert misses(built(domain, [wall], make(domain)), wall) < ROUNDING


def test_different_values_on_different_pieces_are_blended():
    walls = [Wall((piece,), lambda i=i, **p: i + given(**p), False) for i, piece in enumerate(RING.pieces)]
    field = built(RING, walls, restless(RING))
    assert max(misses(field, wall) for wall in walls) < ROUNDING


@pytest.mark.parametrize("slope", [None, factor], ids=["flux", "robin"])
@pytest.mark.parametrize("domain", [DISK, ELLIPSE, HOOK], ids=["disk", "ellipse", "hook"])
def test_outward_derivatives(domain, slope):
    wall = Wall(domain.pieces, flow, True, slope)
    assert misses(built(domain, [wall], network(domain)), wall) < 1e-10


@pytest.mark.parametrize("slope", [None, factor], ids=["flux", "robin"])
def test_value_on_the_hole_and_derivative_on_the_edge(slope):
    edge, hole = RING.boundary("edge").surfaces, RING.boundary("hole").surfaces
    walls = [Wall(hole, given, False), Wall(edge, flow, True, slope, apart=hole)]
    field = built(RING, walls, network(RING))
    assert misses(field, walls[0]) < ROUNDING
    assert misses(field, walls[1]) < 1e-10


def test_two_derivatives_and_a_value_on_three_sides():
    """Sides that meet: away from the corners, where no direction is the normal, all hold."""
    sides = HOOK.pieces
    walls = [
        Wall((sides[0],), given, False),
        Wall((sides[2],), flow, True, factor, apart=(sides[0],)),
        Wall((sides[4],), flow, True, None, apart=(sides[0],)),
    ]
    field = built(HOOK, walls, restless(HOOK))
    assert [misses(field, wall) < 1e-9 for wall in walls] == [True] * 3


def test_a_clamped_plate_has_value_and_derivative_on_one_piece():
    walls = [Wall(DISK.pieces, given, False), Wall(DISK.pieces, flow, True)]
    field = built(DISK, walls, restless(DISK))
    assert max(misses(field, wall) for wall in walls) < 1e-11


def test_the_surface_of_a_ball():
    ball = Ball(x=0, y=0, z=0, radius=2)
    wall = Wall(ball.pieces, flow, True, factor)
    assert misses(built(ball, [wall], restless(ball)), wall) < 1e-11


def test_walls_and_the_start_hold_together():
    """T = 2 + f(r) g(t) on the wall of a disk, cooled with a constant factor: both exact where they agree."""
    domain = DISK * Box(t=(0, 1))
    surfaces = domain.boundary("edge").surfaces

    def reference(x, y, t):
        return jnp.sin(x) * jnp.cosh(0.5 * y) * jnp.exp(-t)

    def cooled(**p):
        """The outward derivative of the reference + 0.8 times its value, on the wall."""
        slopes = partials(reference, (("x",), ("y",)))(**p)
        return ((p["x"] - 0.2) * slopes[("x",)] + (p["y"] + 0.1) * slopes[("y",)]) / 1.5 + 0.8 * reference(**p)

    start = Imposed(Face("t", 0), 0, lambda **p: reference(p["x"], p["y"], 0.0))
    for wall in (Wall(surfaces, reference, False), Wall(surfaces, cooled, True, lambda **p: jnp.asarray(-0.8))):
        field = built(domain, [wall], network(domain), [start])
        assert misses(field, wall) < 1e-11
        points = domain.sample(50, 0)
        points["t"] = np.zeros(50)
        found = jax.vmap(lambda p, field=field: field(**p) - reference(**p))(points)
        assert float(jnp.max(jnp.abs(found))) < ROUNDING


def test_the_trial_field_stays_free_inside():
    wall = Wall(DISK.pieces, flow, True, factor)
    one, two = (built(DISK, [wall], network(DISK, seed)) for seed in (0, 1))
    place = {"x": jnp.asarray(0.1), "y": jnp.asarray(0.4)}
    assert abs(float(one(**place) - two(**place))) > 1e-3


def robin_miss(field, condition, point, box):
    """How far u' is from b + c u at the foot of a point on a face."""
    axis, side = condition.face
    foot = {**point, axis: jnp.asarray(box.ends(axis)[side], dtype=float)}
    found = partials(field, ((), (axis,) * condition.order))(**foot)
    slope = 0.0 if condition.slope is None else condition.slope(**foot)
    return abs(float(found[(axis,) * condition.order] - condition.value(**foot) - slope * found[()]))


LINE = Box(x=(-1, 2))
SETS = {
    "one end": [(0, 1, 2.0)],
    "both ends": [(0, 1, 0.7), (1, 1, -3.0)],
    "a value at the other end": [(0, 0, None), (1, 1, -3.0)],
    "a derivative at the other end": [(0, 1, None), (1, 1, -3.0)],
    "a higher derivative at the same end": [(0, 0, None), (1, 1, -3.0), (1, 2, None)],
}


@pytest.mark.parametrize("kinds", SETS.values(), ids=list(SETS))
def test_robin_at_the_ends_of_an_axis(kinds):
    imposed = [
        Imposed(Face("x", side), order, lambda **p: jnp.asarray(0.6), None if c is None else lambda c=c, **p: c)
        for side, order, c in kinds
    ]
    field = constrained(restless(LINE), imposed, LINE)
    for condition in imposed:
        assert robin_miss(field, condition, {"x": jnp.asarray(0.0)}, LINE) < ROUNDING


@pytest.mark.parametrize("order", [("x", "t"), ("t", "x")])
def test_robin_with_a_factor_that_changes_with_time_and_a_start(order):
    """Cooling, u_x = b(t) + c(t) u at x = 1, read off a field, beside its start and its value at x = 0."""
    ends = {"x": (0, 1), "t": (0, 2)}
    box = Box(**{axis: ends[axis] for axis in order})

    def reference(x, t):
        return jnp.sin(1.3 * x + 0.2) * jnp.exp(-0.5 * t) + x

    def slope(**p):
        return -1.0 - 0.3 * jnp.sin(p["t"])

    def right(**p):
        return partials(reference, (("x",),))(**p)[("x",)] - slope(**p) * reference(**p)

    imposed = [
        Imposed(Face("x", 1), 1, right, slope),
        Imposed(Face("x", 0), 0, lambda **p: reference(**p)),
        Imposed(Face("t", 0), 0, lambda **p: reference(**p)),
    ]
    field = constrained(network(box), imposed, box)
    for share in (0.0, 0.3, 1.0):
        point = {"x": jnp.asarray(share), "t": jnp.asarray(2 * share)}
        assert max(robin_miss(field, condition, point, box) for condition in imposed) < ROUNDING
