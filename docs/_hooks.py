"""Pages that are built, not written: the front page from README.md, a page a study, a page a room, llms.txt.

Nothing of the package is imported: a study's page is its own source, its docstring first. Pictures and
results lie in docs/assets/studies/NAME/; a study without any has its story and its code.
"""

import ast
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "lawful"
ASSETS = ROOT / "docs" / "assets" / "studies"
FRONT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
PICTURES = (".png", ".svg", ".jpg", ".gif")
LONGEST_RESULT = 200  # lines of JSON worth showing on a page


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the two sections of the navigation."""
    for entry in config.nav or []:
        if "Studies" in entry:
            entry["Studies"] = ["studies/index.md", *(f"studies/{path.stem}.md" for path in studies())]
        if "Reference" in entry:
            entry["Reference"] = ["reference/index.md", *({room: f"reference/{room}.md"} for room in rooms())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here to those that are written."""
    for name, text in pages():
        files.append(File.generated(config, name, content=text))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Write llms.txt (https://llmstxt.org), and the Markdown of the pages that it names beside them."""
    site = Path(config.site_dir)
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
    texts |= {name: text for name, text in pages() if not name.startswith("reference/")}
    for name, text in texts.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    listing = for_language_models(config.site_name, config.site_description or "", texts)
    (site / "llms.txt").write_text(listing, encoding="utf-8")
    missing = [link for link in re.findall(r"\]\(([^)]+)\)", listing) if not (site / link).is_file()]
    if missing:
        raise PluginError(f"llms.txt names what is not in the site: {', '.join(missing)}")


def for_language_models(name: str, summary: str, texts: dict[str, str]) -> str:
    """A title, a summary, what a reader must know, and the pages by section with a sentence each."""
    written = [page for page in texts if "/" not in page and page not in FRONT.values()]
    sections = {
        "Guides": [f"- [{heading(texts[page])}]({page}): {opening(texts[page])}" for page in written],
        "Studies": [f"- [{p.stem}](studies/{p.stem}.md): {told(p)[0]}" for p in studies()],
        "Reference": [
            f"- [lawful.{room}](reference/{room}/index.html): {first_line(PACKAGE / room / '__init__.py')}"
            for room in rooms()
        ],
        "Optional": [f"- [{heading(texts[page])}]({page})" for page in FRONT.values()],
    }
    parts = [f"# {name}", f"> {summary}", opening_code(texts["index.md"])]
    parts += [f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items()]
    return "\n\n".join(parts) + "\n"


def heading(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ").strip()


def opening(text: str) -> str:
    """The first sentence after the heading."""
    paragraph = text.partition("\n")[2].strip().partition("\n\n")[0]
    return " ".join(paragraph.split()).partition(". ")[0].rstrip(".") + "."


def opening_code(text: str) -> str:
    """What the front page says first, and its first program."""
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    code = text[text.index("```python") : text.index("```", text.index("```python") + 3) + 3]
    return f"{paragraphs[2]}\n\n{code}"


def first_line(path: Path) -> str:
    return docstring(path).partition("\n")[0]


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of every page that is made."""
    for source, page in FRONT.items():
        yield page, at_home((ROOT / source).read_text(encoding="utf-8"))
    yield "studies/index.md", studies_page()
    for path in studies():
        yield f"studies/{path.stem}.md", study_page(path)
    yield "reference/index.md", reference_page()
    for room in rooms():
        yield f"reference/{room}.md", f"# lawful.{room}\n\n::: lawful.{room}\n"


def at_home(text: str) -> str:
    """A page of the repository's root, its links turned to where things are on the site."""

    def turned(match: re.Match) -> str:
        label, target, anchor = match.groups(default="")
        if re.match(r"[a-z]+:|#", target):
            return match.group()
        target = target.removeprefix("./")
        if target in FRONT:
            return f"[{label}]({FRONT[target]}{anchor})"
        if target.startswith("docs/"):
            return f"[{label}]({target.removeprefix('docs/')}{anchor})"
        return label  # a file of the repository that has no page

    text = re.sub(r'(src|href)="(?:\./)?docs/', r'\1="', text)
    return re.sub(r"\[([^\]\[]*)\]\(([^)#\s]+)(#[^)\s]*)?\)", turned, text)


def rooms() -> list[str]:
    """The public rooms; the studies have pages of their own."""
    fronts = sorted(PACKAGE.glob("*/__init__.py"))
    names = [front.parent.name for front in fronts]
    return [name for name in names if not name.startswith("_") and name != "studies"]


def studies() -> list[Path]:
    """The files that hold a study each."""
    return [path for path in sorted((PACKAGE / "studies").glob("*.py")) if not path.name.startswith("_")]


def docstring(path: Path) -> str:
    """The docstring of a file; empty where there is none."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def told(path: Path) -> tuple[str, str]:
    """The title of a study, its docstring's first line, and the story that follows."""
    title, _, story = docstring(path).partition("\n")
    return title.strip().rstrip(".") or path.stem, story.strip()


def code(path: Path) -> str:
    """The source of a file without its docstring, which the page has told already."""
    text = path.read_text(encoding="utf-8")
    body = ast.parse(text).body
    first = body[0] if body else None
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    after = (first.end_lineno or 0) if has_docstring and first else 0
    return "\n".join(text.splitlines()[after:]).strip()


def studies_page() -> str:
    lines = [f"| [{path.stem}]({path.name.removesuffix('.py')}.md) | {told(path)[0]} |" for path in studies()]
    table = "\n".join(["| study | what it shows |", "|---|---|", *lines])
    return (
        "# Studies\n\nEach study is one file that tells a story, runs from the command line and is tested.\n"
        "`lawful list` names them, `lawful run STUDY` runs one.\n\n"
        f"{table if lines else 'There are none yet.'}\n"
    )


def reference_page() -> str:
    rows = [f"| [lawful.{room}]({room}.md) | {first_line(PACKAGE / room / '__init__.py')} |" for room in rooms()]
    table = "\n".join(["| room | what it holds |", "|---|---|", *rows])
    return f"# Reference\n\n{table if rows else 'There are no rooms yet.'}\n"


def study_page(path: Path) -> str:
    """Story, pictures, results, command line, code."""
    title, story = told(path)
    parts = [f"# {title}", story, f"```sh\nlawful run {path.stem}\n```", *results(path.stem)]
    parts += ["## The code", f"`src/lawful/studies/{path.name}`", f"````python\n{code(path)}\n````"]
    return "\n\n".join(part for part in parts if part) + "\n"


def results(study: str) -> Iterator[str]:
    """What lies in the study's folder of assets: pictures shown, numbers as a table, a report linked."""
    folder = ASSETS / study
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    if found:
        yield "## What it gives"
    if (record := folder / "study.json") in found:
        yield f"At {json.loads(record.read_text(encoding='utf-8')).get('effort', 'normal')} effort:"
    for path in found:
        link = f"../assets/studies/{study}/{path.name}"
        if path.suffix in PICTURES:
            yield f"![{path.stem.replace('_', ' ')}]({link})"
        elif path.suffix == ".json":
            yield from numbers(path, link)
        elif path.suffix == ".html":
            yield f"[The report]({link})"


def numbers(path: Path, link: str) -> Iterator[str]:
    """The numbers of a JSON result as a table; the whole of it folded away, or linked where it is long."""
    record = json.loads(path.read_text(encoding="utf-8"))
    rows = [f"| {name} | {text} |" for name, text in named_numbers(record)]
    if rows:
        yield "\n".join(["| quantity | value |", "|---|---|", *rows])
    whole = json.dumps(record, indent=2, ensure_ascii=False)
    if whole.count("\n") > LONGEST_RESULT:
        yield f"[{path.name}]({link})"
    else:
        indented = "\n".join(f"    {line}" for line in ["```json", *whole.splitlines(), "```"])
        yield f'??? note "{path.name}"\n\n{indented}'


def named_numbers(record: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every number of a nested record under its dotted name; an estimate with its error bar."""
    if not isinstance(record, dict):
        return
    for name, value in record.items():
        match value:
            case {"value": int() | float() as middle, "sd": int() | float() as sd}:
                yield f"{prefix}{name}", estimate(middle, sd)
            case dict():
                yield from named_numbers(value, f"{prefix}{name}.")
            case bool() | str():
                continue
            case int() | float():
                yield f"{prefix}{name}", f"{value:.6g}"


def estimate(value: float, sd: float) -> str:
    """A value to the last digit of its error bar, which has two."""
    if not 0 < sd < abs(value):
        return f"{value:.6g} ± {sd:.2g}"
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(sd)) + 2
    return f"{value:#.{digits}g} ± {sd:.2g}"
