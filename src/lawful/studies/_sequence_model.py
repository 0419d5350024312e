"""The language model of the study of sequences: where it comes from, what it was taught, how well it reads."""

from __future__ import annotations

import math
from pathlib import Path

import jax
import numpy as np

from .._core.files import read_arrays, write_arrays, write_atomically
from .._core.messages import BadInput
from ..proteins import (
    NGram,
    SequenceModel,
    contact_table,
    families,
    load,
    perplexity,
    read_fasta,
    read_set,
    save,
    split,
    teach,
)
from ..proteins._weights import skeleton
from ._base import Effort, Request
from ._measurements import in_data_folder

FOLDER = Path(__file__).with_name("weights")
WEIGHTS, CONTACTS = FOLDER / "language.npz", FOLDER / "contacts.npz"
FASTA = "sequences_mmseqs2", "uniprot20k_30-512.fasta.gz"
CHAINS = "cgdms", "cgdms_train_backbones.npz"
STEPS, EVERY, RESIDUES = 3000, 150, 2048
BY_COUNTING = {"unigram": 1, "bigram": 2, "trigram": 3}


def network(seed: int = 0) -> SequenceModel:
    return SequenceModel(jax.random.key(seed), channels=128, blocks=4, heads=4)


def language_model(request: Request) -> tuple[SequenceModel, dict]:
    """The shipped one, a file's, or at best effort one that is taught in a folder; and what is known of it."""
    training = [name for name in ("keep", "hours") if name in request.options]
    if not training:
        path = Path(request.options.get("weights", WEIGHTS))
        if not path.is_file():
            raise BadInput(f"--set weights={path}: there is no such file.")
        return load(path, skeleton(network))
    if request.effort is not Effort.BEST:
        raise BadInput(f"--set {training[0]} is for a training; add --effort best.")
    if "weights" in request.options:
        raise BadInput("--set weights is for weights that exist, --set keep for a training; give one of them.")
    if "keep" not in request.options:
        raise BadInput("--set hours is for a training, which is kept in a folder; add --set keep=DIR.")
    return taught(request, Path(request.options["keep"]))


def taught(request: Request, folder: Path) -> tuple[SequenceModel, dict]:
    path = in_data_folder(*FASTA)
    if not path.is_file():
        raise BadInput(f"{path} was not found; set LAWFUL_DATA to the folder of {FASTA[0]}/, which is learned from.")
    known, held, test, kinds = parts(read_fasta(path))
    state = folder / "state.npz"
    model, course = teach(
        network(request.seed), known, held, steps=STEPS, seconds=3600 * request.number("hours", 1.0),
        seed=request.seed, path=state, every=EVERY, residues=RESIDUES,
        progress=request.progress,
    )  # fmt: skip
    kept = read_arrays(state)[1]  # of all calls together
    about = {
        "steps": kept["step"],
        "planned": STEPS,
        "residues_a_step": RESIDUES,
        "seconds": kept["seconds"],
        "seed": request.seed,
        "jax": jax.__version__,
        "sequences": len(known),
        "residues": sum(map(len, known)),
        "families": kinds,
        "held_out": len(test),
        "held_out_residues": sum(map(len, test)),
        "looks": [round(value, 3) for value in course.get("perplexity", [])],
        "perplexity": math.exp(np.mean([math.log(perplexity(model, test, seed)) for seed in range(3)])),
        **{name: NGram.of(known, n).perplexity(test) for name, n in BY_COUNTING.items()},
    }
    save(folder / "weights.npz", model, about)
    write_atomically(folder / "language.md", card(about).encode())
    return load(folder / "weights.npz", skeleton(network))


def parts(sequences: list[str]) -> tuple[list[str], list[str], list[str], int]:
    """To learn from, to look at meanwhile, to be judged by: no family in two of them; and how many families."""
    labels = families(sequences)
    known, held, test = ([sequences[k] for k in part] for part in split(labels, (0.9, 0.05, 0.05)))
    return known, held, test, len(np.unique(labels))


def card(about: dict) -> str:
    """The model card, from what is written beside the weights."""
    looks = ", ".join(f"{value:.2f}" for value in about["looks"])
    rows = [f"| {name} of letters | {about[name]:.2f} |" for name in BY_COUNTING]
    return "\n".join(
        [
            "# Model card: language.npz",
            "",
            "A masked language model of protein sequences (`lawful.proteins.SequenceModel`: 128 channels, 4 blocks,"
            " 4 heads),",
            "for `lawful run sequence`. Half precision; arrays and JSON only. This card is written by the training.",
            "",
            f"- Sequences: {about['sequences']:,} of 30 to 512 residues from UniProt"
            f" ({about['residues']:,} residues), of {about['families']:,} families with the held-out",
            "  ones. A family are sequences that share more than 30 % of five-letter words, and their relatives; none"
            " lies in two parts.",
            f"- Training: {about['steps']} of {about['planned']} planned steps of {about['residues_a_step']}"
            f" residues in {about['seconds'] / 60:.0f} minutes of one core, seed {about['seed']}, single precision,",
            f"  JAX {about['jax']}; a running mean of the weights is kept. Perplexity of a second held-out part every"
            f" {EVERY} steps:",
            f"  {looks}.",
            "- To reproduce or go on: `LAWFUL_DATA=DIR lawful run sequence --effort best --set keep=FOLDER --set"
            " hours=H`, as often",
            "  as there is time; FOLDER/weights.npz and FOLDER/language.md are these two files.",
            "",
            f"Perplexity of {about['held_out']} sequences ({about['held_out_residues']:,} residues) of other families."
            " The model's is the mean over",
            "orders of writing, a bound from above; those who count read from left to right. Twenty letters drawn"
            " evenly have 20.",
            "",
            "| what reads | perplexity |",
            "|---|---|",
            *rows,
            f"| this model | {about['perplexity']:.2f} |",
            "",
            "That is weak: it knows which letters are frequent, and a little of what stands together. A low perplexity"
            " by it",
            "says that a sequence has the statistics of proteins, not that it folds.",
            "",
        ]
    )


def preferences() -> tuple[np.ndarray, dict]:
    """How much more often two residues touch in native chains than by chance, kT, and from how many chains."""
    found, about = read_arrays(CONTACTS)
    return found["table"], about


def count_preferences(path: Path) -> None:
    """Makes the file of `preferences`, from the chains of the backbones' training set."""
    chains = read_set(in_data_folder(*CHAINS), least=20, compact=None)
    table = contact_table(chains.backbones)
    about = {"chains": len(chains), "residues": sum(map(len, chains.backbones)), "source": CHAINS[1]}
    write_arrays(path, {"table": table}, about)
