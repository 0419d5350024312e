"""The study of sequences to order, by the command line at its quickest."""

import gzip
import json

import jax
import numpy as np
import pytest
from typer.testing import CliRunner

from lawful import proteins as pr
from lawful.cli import app
from lawful.studies import _sequence_model as model
from lawful.studies._base import Effort, Request


def sequence(*options):
    words = [word for option in options for word in ("--set", option)]
    return CliRunner().invoke(app, ["run", "sequence", "--effort", "quick", *words], catch_exceptions=False)


def test_sequences_to_order(tmp_path):
    words = ["--set", "count=12", "--set", "backbone=bundle"]
    command = ["run", "sequence", "--effort", "quick", "--json", "--out", str(tmp_path), *words]
    found = CliRunner().invoke(app, command, catch_exceptions=False)
    numbers = json.loads(found.stdout)
    good = numbers["hit_rate"] >= 0.95 and numbers["perplexity_loss"] <= 0.05
    assert found.exit_code == (0 if good else 1)
    assert numbers["hit_rate"] > 0.6 > 0.3 > numbers["hit_rate_rejection"]
    ways, off = numbers["ways"], numbers["oracle"]["total_variation"]
    assert ways["particles"]["contact_energy"] < ways["unguided"]["contact_energy"]
    # Ideal helices suit all letters but some alike: little is to be gained.
    assert ways["particles"]["torsion_misfit"] < ways["unguided"]["torsion_misfit"]
    assert off["particles"] < 2.5 * off["independent draws"] < off["without energy"]
    assert numbers["held_out"]["perplexity"] < 20
    # What lies in the file is what was said of it.
    sequences = pr.read_fasta(tmp_path / "guided.fasta")
    assert len(sequences) == 12
    first, last = numbers["asked"]["cysteines"]
    for each in sequences:
        assert [n for n, letter in enumerate(each, 1) if letter == "C"] == [first, last]
    charge = np.mean([float(pr.net_charge(pr.soft(each))) for each in sequences])
    assert charge == pytest.approx(ways["particles"]["charge"], abs=1e-4)
    assert (tmp_path / "sequences.png").stat().st_size > 20_000


def test_what_sequence_refuses(tmp_path):
    for options, said in (
        (["charge=30", "length=20", "cysteines=4-16"], "net charge of 30 is out of reach"),
        (["moment=3"], "moment of 3 kcal/mol is out of reach"),
        (["cysteines=10-60", "length=40"], "from 1 to 40"),
        (["cysteines=20-10"], "the first before the second"),
        (["cysteines=ten"], "such as 10-40"),
        (["charge=high"], "charge=high"),
        (["backbone=bundle", "length=20"], "leave length out"),
        (["backbone=nowhere.pdb"], "does not exist"),
        (["hours=1"], "--effort best"),
        (["weights=nowhere.npz"], "no such file"),
    ):
        found = sequence(*options)
        assert found.exit_code == 2
        assert said in found.stderr
        assert found.stderr.count("\n") == 1


def test_a_training_from_the_command_line(tmp_path, monkeypatch):
    """A few sequences, a moment of time: weights and a card that tell what they are."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "sequences_mmseqs2"
    folder.mkdir()
    made = ["".join(rng.choice(list("ACDEKL"), 40)) for _ in range(60)]
    fasta = "".join(f">{k}\n{each}\n" for k, each in enumerate(made))
    (folder / "uniprot20k_30-512.fasta.gz").write_bytes(gzip.compress(fasta.encode()))
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    monkeypatch.setattr(model, "network", lambda seed=0: pr.SequenceModel(jax.random.key(seed), 8, 1, 2))
    options = {"keep": str(tmp_path / "kept"), "hours": "1e-9"}
    _, about = model.language_model(Request(Effort.BEST, options=options, progress=False))
    assert about["sequences"] == 54
    assert about["held_out"] == 3
    assert 5 < about["unigram"] < 8
    again, more = model.language_model(Request(Effort.BEST, options=options, progress=False))
    assert more["seconds"] > about["seconds"]
    card = (tmp_path / "kept" / "language.md").read_text()
    assert f"this model | {more['perplexity']:.2f}" in card
    back, _ = pr.load(tmp_path / "kept" / "weights.npz", again)
    for one, other in zip(jax.tree.leaves(back), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_shipped_weights_know_what_they_are():
    _, about = model.language_model(Request())
    assert model.WEIGHTS.stat().st_size < 10_000_000
    assert model.WEIGHTS.with_suffix(".md").read_text() == model.card(about)
    assert about["perplexity"] < 19
