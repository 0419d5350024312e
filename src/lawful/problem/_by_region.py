"""Constants and unknowns that differ by region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.messages import BadInput, listing, nearest
from ..geometry import Domain, Regions


def by_region(kind: str, given: Mapping[str, Any], domain: Domain) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Constants or unknowns with those that differ by region, {"k": {"steel": 45.0, "wool": 0.04}}, under keys of their
    own, "k[steel]"; and for each of these names the key by region."""
    flat, keys = {}, {}
    for name, value in given.items():
        if not isinstance(value, Mapping):
            flat[name] = value
            continue
        if not isinstance(domain, Regions):
            raise BadInput(f"{kind} '{name}' is given by region, but the domain has no regions; give one value.")
        for region, own in value.items():
            if region not in domain.names:
                raise BadInput(
                    f"{kind} '{name}' names the region '{region}', which there is not"
                    f"{nearest(str(region), domain.names)} Regions: {listing(domain.names)}."
                )
            flat[f"{name}[{region}]"] = own
            keys.setdefault(name, {})[region] = f"{name}[{region}]"
    return flat, keys


def all_regions(domain: Domain, *groups: dict[str, dict[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For each quantity that differs by region its keys in the order of the regions, each region exactly once."""
    found = []
    for name in dict.fromkeys(name for group in groups for name in group):
        assert isinstance(domain, Regions)
        places = [group[name] for group in groups if name in group]
        keys = {region: key for group in places for region, key in group.items()}
        twice = [region for region in keys if sum(region in group for group in places) > 1]
        if twice:
            raise BadInput(f"'{name}' is both a constant and an unknown in {listing(twice)}; drop one of the two.")
        missing = [region for region in domain.names if region not in keys]
        if missing:
            raise BadInput(f"'{name}' is given by region, but not in {listing(missing)}; give it in every region.")
        found.append((name, tuple(keys[region] for region in domain.names)))
    return tuple(found)
