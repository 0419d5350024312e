"""P-SV and SH waves at an angle: closed forms, energy, reciprocity, and layers far thicker than matrices can take."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful import media

pytestmark = pytest.mark.usefixtures("float64")

oblique, sideways = jax.jit(media.oblique), jax.jit(media.sideways)
S = 4.0 + 2j * np.pi * np.linspace(0.1, 20.0, 23)
REAL = 2j * np.pi * np.linspace(0.5, 20.0, 23)


def strata(half_space=True):
    count = 4 if half_space else 3
    return media.Strata(
        np.array([30.0, 80.0, 150.0]),
        np.array([800.0, 1900.0, 1500.0, 3200.0])[:count],
        np.array([300.0, 900.0, 600.0, 1800.0])[:count],
        np.array([1800.0, 2100.0, 2000.0, 2400.0])[:count],
    )


def ground():
    """The same material above and below: a half-space with an interface that is none."""
    return media.Strata([50.0], [3000.0, 3000.0], [1700.0, 1700.0], [2300.0, 2300.0])


def close(found, wanted, tolerance):
    np.testing.assert_allclose(found, wanted, atol=tolerance * np.max(np.abs(wanted)), rtol=0)


@pytest.mark.parametrize("half_space", [True, False])
def test_straight_down_compression_and_shear_go_their_own_ways(half_space):
    ground = strata(half_space)
    found = oblique(ground, 0.0, S)
    for speed, here in ((ground.vp, (1, 1)), (ground.vs, (0, 0))):
        modulus = ground.density * speed**2
        stack = media.Stack(ground.thickness, modulus[:3], ground.density[:3])
        end = media.HalfSpace(modulus[3], ground.density[3]) if half_space else media.FreeEnd()
        close(S * found.surface[here], media.respond(stack, S, right=end).near, 1e-12)
    close(sideways(ground, 0.0, S).surface, found.surface[0, 0], 1e-12)
    assert np.abs(found.surface[0, 1]).max() < 1e-15 * np.abs(found.surface[0, 0]).max()


@pytest.mark.parametrize("p", [1e-4, 3e-4, 4.5e-4, 8e-4])
def test_a_half_space_yields_as_lamb_says(p):
    """Displacement of a half-space under tractions exp(s (t - p x)) on its surface, whose denominator is Rayleigh's."""
    found = oblique(ground(), p, S).surface
    a, b, mu = 3000.0, 1700.0, 2300.0 * 1700.0**2
    eta = lambda speed: np.conj(np.sqrt(complex(speed**-2.0 - p**2)))  # decays downwards
    rayleigh = (b**-2 - 2 * p**2) ** 2 + 4 * p**2 * eta(a) * eta(b)
    close(found[0, 0], eta(b) / b**2 / (mu * S * rayleigh), 1e-12)
    close(found[1, 1], eta(a) / b**2 / (mu * S * rayleigh), 1e-12)
    coupled = p * (b**-2 - 2 * p**2 - 2 * eta(a) * eta(b)) / (mu * S * rayleigh)
    close(np.abs(found[0, 1]), np.abs(coupled), 1e-12)
    close(found[1, 0], -found[0, 1], 1e-12)
    close(sideways(ground(), p, S).surface, 1 / (mu * eta(b) * S), 1e-12)


@pytest.mark.parametrize("p", [1e-4, 2.5e-4, 3.5e-4, 5e-4])
def test_energy_of_what_goes_down_comes_back_or_goes_on(p):
    """On the axis of real frequencies, for each of P and SV that can travel in the first layer: flux rho speed^2 nu."""
    medium = strata()
    found = oblique(medium, p, REAL)

    def flux(layer):
        rho = medium.density[layer]
        return [rho * v[layer] ** 2 * np.sqrt(complex(v[layer] ** -2.0 - p**2)).real for v in (medium.vp, medium.vs)]

    down, through = flux(0), flux(3)
    for kind in (0, 1):
        back = sum(np.abs(found.reflection[row, kind]) ** 2 * down[row] for row in (0, 1))
        on = sum(np.abs(found.transmission[row, kind]) ** 2 * through[row] for row in (0, 1))
        np.testing.assert_allclose(back + on, down[kind], rtol=1e-12)
    across = sideways(medium, p, REAL)
    root = [medium.density[k] * medium.vs[k] ** 2 * np.sqrt(complex(medium.vs[k] ** -2.0 - p**2)).real for k in (0, 3)]
    back, on = np.abs(across.reflection) ** 2 * root[0], np.abs(across.transmission) ** 2 * root[1]
    np.testing.assert_allclose(back + on, root[0], rtol=1e-12)


def test_motions_and_tractions_change_places():
    """Reciprocity of the surface: radial for vertical is minus vertical for radial, waves running the other way."""
    found = oblique(strata(), 4e-4, S).surface
    close(found[1, 0], -found[0, 1], 1e-12)


def test_a_free_surface_doubles_what_comes_straight_up():
    medium = ground()
    found = oblique(medium, 0.0, S).arrival
    delay = lambda speed: 2 * np.exp(-S * 50.0 / speed)
    close(np.abs(found[1, 0]), np.abs(delay(3000.0)), 1e-12)
    close(np.abs(found[0, 1]), np.abs(delay(1700.0)), 1e-12)
    close(sideways(medium, 0.0, S).arrival, delay(1700.0), 1e-12)


def test_evanescent_waves_lose_no_digits():
    """Layers a thousand decay lengths thick: below the second nothing is felt, and what is felt stays exact."""
    p, s = 1e-3, 2.0 + 2j * np.pi * np.linspace(1.0, 50.0, 9)
    columns = [np.array([900.0, 3000.0, 2000.0, 4000.0]), np.array([800.0, 1700.0, 1200.0, 2300.0]) * 0.6]
    density = np.array([1800.0, 2300.0, 2000.0, 2600.0])
    deep = media.Strata([40.0, 5e4, 3e4], *columns, density)
    shallow = media.Strata([40.0], *(c[:2] for c in columns), density[:2])
    found, wanted = oblique(deep, p, s), oblique(shallow, p, s)
    assert all(bool(np.all(np.isfinite(part))) for part in found)
    close(found.surface, wanted.surface, 1e-12)


def test_a_layer_cut_in_two_is_the_layer():
    whole = strata()
    cut = media.Strata(
        np.array([30.0, 50.0, 30.0, 150.0]),
        *(np.insert(np.asarray(q), 2, q[1]) for q in (whole.vp, whole.vs, whole.density)),
    )
    for part, same in zip(oblique(cut, 4e-4, S), oblique(whole, 4e-4, S), strict=True):
        close(part, same, 1e-12)


def test_derivatives_are_those_of_the_values():
    s, base = jnp.asarray(S[::5]), strata()

    @jax.jit
    def parts(logs):
        own = jax.tree.map(jnp.exp, logs)
        slowness = own.pop("slowness")
        medium = media.Strata(**own, loss_p=0.02, reference=5.0)
        surface, reflection, transmission, arrival = media.oblique(medium, slowness, s)
        across = media.sideways(medium, slowness, s)
        everything = [1e8 * surface, reflection, transmission, arrival, 1e8 * across.surface, across.arrival]
        return jnp.concatenate([jnp.stack([w.real, w.imag]).ravel() for w in everything])

    given = {key: jnp.asarray(getattr(base, key)) for key in ("thickness", "vp", "vs", "density")}
    given |= {"loss_s": jnp.full(4, 0.04), "slowness": jnp.array(4e-4)}
    lf.check_gradient(parts, jax.tree.map(jnp.log, given))
