"""Double precision is asked for and given back; the compilation cache is switched on by programs only."""

import jax
import jax.numpy as jnp
import pytest

from lawful._core.precision import float64, in_float64, use_compilation_cache


def test_double_precision_ends_with_its_context():
    before = jnp.zeros(1).dtype
    with float64():
        assert jnp.zeros(1).dtype == jnp.float64
    assert jnp.zeros(1).dtype == before


def test_the_decorator_gives_the_setting_back_even_after_an_error():
    before = jnp.zeros(1).dtype

    @in_float64
    def third(fail):
        if fail:
            raise ValueError("no")
        return jnp.asarray(1.0) / 3

    assert float(third(False)) == 1 / 3
    with pytest.raises(ValueError, match="no"):
        third(True)
    assert jnp.zeros(1).dtype == before
    assert third.__name__ == "third"


def test_the_cache_goes_where_it_is_told(tmp_path, monkeypatch):
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    try:
        assert use_compilation_cache(tmp_path / "here") == tmp_path / "here"
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "here")
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "there"))
        assert use_compilation_cache() == tmp_path / "there"
        monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
        monkeypatch.chdir(tmp_path)
        assert use_compilation_cache() == tmp_path / ".cache" / "jax"
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
