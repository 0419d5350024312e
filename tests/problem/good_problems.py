"""Problems from textbooks, stated as their textbooks do: each must be accepted, and lack something without any one of
its conditions."""

import jax.numpy as jnp
import numpy as np

from lawful.geometry import Box
from lawful.problem import Data, Flux, Free, Periodic, Positive, Problem, Smooth, Value

TIME = Box(t=(0, 2))
BAR = Box(x=(-1, 1), t=(0, 2))
PLATE = Box(x=(0, 1), y=(0, 1))
ROOM = Box(x=(0, 1), y=(0, 1), t=(0, 1))


def bump(x):
    return jnp.cos(jnp.pi * x / 2)


def decay():
    return Problem(TIME, "u", {"decay": lambda u, u_t: u_t + u}, [Value(TIME.at(t=0), u=1.0)])


def spring():
    return Problem(TIME, "x", {"spring": lambda x, x_tt: x_tt + x}, [Value(TIME.at(t=0), x=1.0, x_t=0.0)])


def two_point_boundary():
    return Problem(TIME, "u", {"rod": lambda u_tt: u_tt - 1}, [Value(TIME.at(t=0), u=0.0), Flux(TIME.at(t=2), u=1.0)])


def beam():
    ends = [Value(TIME.at(t=0), w=0.0, w_t=0.0), Value(TIME.at(t=2), w_tt=0.0, w_ttt=1.0)]
    return Problem(TIME, "w", {"beam": lambda w_tttt: w_tttt - 1}, ends)


def heat():
    conditions = [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump)]
    return Problem(BAR, "u", {"heat": lambda u_t, u_xx: u_t - u_xx}, conditions)


def burgers():
    conditions = [Value(BAR.at(t=0), u=lambda x: -jnp.sin(jnp.pi * x)), Value(BAR.at(x=(-1, 1)), u=0.0)]
    return Problem(BAR, "u", {"burgers": lambda u, u_t, u_x, u_xx: u_t + u * u_x - 0.01 * u_xx}, conditions)


def insulated():
    conditions = [Flux(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=lambda x: jnp.cos(jnp.pi * x))]
    return Problem(BAR, "u", {"heat": lambda u_t, u_xx: u_t - u_xx}, conditions)


def wave():
    conditions = [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump, u_t=0.0)]
    return Problem(BAR, "u", {"wave": lambda u_tt, u_xx: u_tt - u_xx}, conditions)


def advection():
    conditions = [Value(BAR.at(x=-1), u=lambda t: jnp.sin(t)), Value(BAR.at(t=0), u=0.0)]
    return Problem(BAR, "u", {"advection": lambda u_t, u_x: u_t + u_x}, conditions)


def korteweg_de_vries():
    conditions = [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(x=1), u_x=0.0)]
    start = Value(BAR.at(t=0), u=lambda x: (1 - x) ** 2 * (1 + x))
    law = {"kdv": lambda u, u_t, u_x, u_xxx: u_t + 6 * u * u_x + u_xxx}
    return Problem(BAR, "u", law, [*conditions, start])


def ring():
    conditions = [Periodic(BAR.at(x=(-1, 1))), Value(BAR.at(t=0), u=lambda x: jnp.sin(jnp.pi * x))]
    return Problem(BAR, "u", {"heat": lambda u_t, u_xx: u_t - u_xx}, conditions)


def poisson():
    conditions = [Value(PLATE.at(x=(0, 1)), u=0.0), Value(PLATE.at(y=(0, 1)), u=0.0)]
    return Problem(PLATE, "u", {"poisson": lambda u_xx, u_yy: u_xx + u_yy + 1}, conditions)


def cooled_by_air():
    """A Robin condition: what leaves the surface depends on its temperature."""
    conditions = [
        Value(BAR.at(x=-1), u=0.0),
        Flux(BAR.at(x=1), u=lambda u: -0.5 * u),
        Value(BAR.at(t=0), u=lambda x: 0 * x),
    ]
    return Problem(BAR, "u", {"heat": lambda u_t, u_xx: u_t - u_xx}, conditions)


def conductivity():
    """A derived flux, whose derivative the law uses and whose value is given at one end."""
    conditions = [
        Value(BAR.at(x=-1), u=0.0),
        Value(BAR.at(x=1), flux=0.3),
        Value(BAR.at(t=0), u=lambda x: 0 * x),
    ]
    return Problem(
        BAR,
        "u",
        {"balance": lambda u_t, flux_x: u_t - flux_x},
        conditions,
        derived={"flux": lambda u_x, x: (1 + 0.1 * x) * u_x},
    )


def lorenz():
    laws = {
        "x": lambda x, y, x_t: x_t - 10 * (y - x),
        "y": lambda x, y, z, y_t: y_t - x * (28 - z) + y,
        "z": lambda x, y, z, z_t: z_t - x * y + 8 / 3 * z,
    }
    return Problem(TIME, "x, y, z", laws, [Value(TIME.at(t=0), x=1.0, y=1.0, z=1.0)])


def heat_as_two_laws():
    """Fourier and balance, q = -u_x and u_t = -q_x: no law holds both the rate of u and its slope."""
    laws = {"fourier": lambda q, u_x: q + u_x, "balance": lambda u_t, q_x: u_t + q_x}
    return Problem(BAR, "q, u", laws, [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump)])


def wave_as_two_laws():
    laws = {"speed": lambda v, u_t: v - u_t, "force": lambda v_t, u_xx: v_t - u_xx}
    return Problem(BAR, "u, v", laws, [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump, v=0.0)])


def flow():
    """Navier-Stokes: the pressure has no condition of its own, continuity no field."""
    laws = {
        "x": lambda u, v, u_t, u_x, u_y, u_xx, u_yy, p_x: u_t + u * u_x + v * u_y + p_x - 0.1 * (u_xx + u_yy),
        "y": lambda u, v, v_t, v_x, v_y, v_xx, v_yy, p_y: v_t + u * v_x + v * v_y + p_y - 0.1 * (v_xx + v_yy),
        "continuity": lambda u_x, v_y: u_x + v_y,
    }
    parts = [ROOM.at(x=(0, 1)), ROOM.at(y=(0, 1)), ROOM.at(t=0)]
    return Problem(ROOM, "u, v, p", laws, [Value(part, u=0.0, v=0.0) for part in parts])


def heat_with_a_passenger():
    """One field drives another, which does not act back: each is counted by itself."""
    laws = {"heat": lambda u_t, u_xx: u_t - u_xx, "growth": lambda c_t, u, c: c_t - u * c}
    conditions = [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump, c=1.0)]
    return Problem(BAR, "c, u", laws, conditions)


def algebraic():
    laws = {"decay": lambda u_t, w: u_t + w, "friction": lambda u, w: w - u**2}
    return Problem(TIME, "u, w", laws, [Value(TIME.at(t=0), u=1.0)])


WELL_POSED = {
    make.__name__: make
    for make in (
        decay,
        spring,
        two_point_boundary,
        beam,
        heat,
        burgers,
        insulated,
        wave,
        advection,
        korteweg_de_vries,
        ring,
        poisson,
        cooled_by_air,
        conductivity,
        lorenz,
        heat_as_two_laws,
        wave_as_two_laws,
        flow,
        heat_with_a_passenger,
        algebraic,
    )
}


def unknown_start():
    data = Data({"t": np.linspace(0, 2, 5), "u": np.ones(5)})
    return Problem(
        TIME,
        "u",
        {"decay": lambda u, u_t, k: u_t + k * u},
        [Free(TIME.at(t=0))],
        unknowns={"k": Positive()},
        data=data,
    )


def unknown_conductivity():
    """A hidden field D(x), reached by a derived flux; times and places in no order."""
    rng = np.random.default_rng(0)
    data = Data({"x": rng.uniform(-1, 1, 9), "t": rng.uniform(0, 2, 9), "u": np.ones(9)}, noise=0.1, name="probes")
    return Problem(
        BAR,
        "u",
        {"balance": lambda u_t, flux_x: u_t - flux_x},
        [Value(BAR.at(x=(-1, 1)), u=0.0), Value(BAR.at(t=0), u=bump)],
        unknowns={"D": Positive(0.1, over="x", prior=Smooth(length=0.3))},
        derived={"flux": lambda D, u_x: D * u_x},
        data=[data, Data({"x": [0.5], "t": [1.0], "flux": [0.1]}, name="a flux meter")],
    )


INVERSE = {make.__name__: make for make in (unknown_start, unknown_conductivity)}
