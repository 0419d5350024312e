"""The picture of the study on disulfides: what guidance and particles do."""

from __future__ import annotations

from ..report import BLUE, INK, VERMILLION, house_style


def curves(numbers: dict):
    """Success against the strength of the guidance, and against the number of particles."""
    with house_style():
        from matplotlib.figure import Figure

        crowd = numbers["by_particles"]
        fig = Figure(figsize=(9.0 if crowd else 5.2, 3.8), layout="constrained")
        axes = fig.subplots(1, 2 if crowd else 1, squeeze=False, sharey=True)[0]
        panels = [(axes[0], "strength", numbers["by_strength"], "strength of the pull, no particles")]
        if crowd:
            panels.append((axes[1], "particles", crowd, "particles in a population, weakest pull"))
        for ax, name, rows, label in panels:
            places = range(len(rows))
            for key, colour, said in (("satisfied", BLUE, "relaxed"), ("raw", VERMILLION, "before relaxation")):
                ax.plot(places, [100 * row[key] for row in rows], "o-", color=colour, label=said)
            ax.set_xticks(list(places), [f"{row[name]:g}" for row in rows])
            ax.axhline(100 * numbers["satisfied_unguided"]["value"], color=INK, ls=":", label="unguided (rejection)")
            ax.axhline(90, color="0.7", lw=0.8)
            ax.set(xlabel=label, ylim=(-3, 103))
        axes[0].set_ylabel("chains that form the bond / %")
        axes[0].legend(fontsize="small", loc="center left")
        return fig, axes
