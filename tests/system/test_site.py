"""The documentation is built, its tutorials run, and a browser shows its pages well."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import zlib
from html import unescape
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyNN.sparse as sim
import pytest
from support.browser import rendered, served

import pynn_sparse

pytest.importorskip("myst_nb", reason="the extra 'docs' is not installed")
pytest.importorskip("furo", reason="the extra 'docs' is not installed")
pytest.importorskip("nest", reason="a tutorial compares with NEST")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted(p for p in (ROOT / "docs" / "tutorials").glob("*.md") if p.stem != "index")
NARROW = 400  # pixels: a telephone
# What `pyNN.sparse` needs to be a backend, and is nobody's concern.
INTERNAL = {"Recorder", "build_translations", "state"}
PACKAGES = ("pynn_sparse.export", "pynn_sparse.compare")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site; a warning, as of output on standard error, is an error."""
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder)],
        env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


class Links(HTMLParser):
    """What a page refers to, and the names within it that others can refer to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.names: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in ("href", "src") and value:
                self.targets.append(value)
            elif key in ("id", "name") and value:
                self.names.add(value)


def test_no_link_is_broken(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html")}
    broken = []
    for page, links in pages.items():
        for target in links.targets:
            parts = urlparse(target)
            if parts.scheme or parts.netloc:
                continue
            address, name = parts.path, parts.fragment
            file = (page.parent / unquote(address)).resolve() if address else page
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file() or (name and file in pages and name not in pages[file].names):
                broken.append(f"{page.relative_to(site)}: {target}")
    assert len(pages) > 40
    assert not broken


def test_pages_are_readable_on_a_telephone(site: Path, tmp_path: Path) -> None:
    """No page is wider than the window, and every picture is there."""
    pages = sorted(
        str(p.relative_to(site)) for p in site.rglob("*.html") if "_static" not in str(p)
    )
    frames = "".join(
        f'<iframe src="{page}" width="{NARROW}" height="800"></iframe>' for page in pages
    )
    (site / "all.html").write_text(f"""<!doctype html><style>iframe {{ border: 0 }}</style>{frames}
<pre id="found"></pre><script>
addEventListener("load", () => {{
  const found = {{}};
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument;
    const lost = [...page.images].filter(image => !image.complete || !image.naturalWidth);
    const all = [...page.querySelectorAll("article *")];
    const wide = all.filter(x => x.getBoundingClientRect().right > {NARROW} + 1);
    found[frame.getAttribute("src")] = {{
      width: page.documentElement.scrollWidth, inner: frame.contentWindow.innerWidth,
      images: page.images.length, lost: lost.map(image => image.getAttribute("src")),
      wide: wide.slice(0, 3).map(x => x.outerHTML.slice(0, 80)),
    }};
  }}
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>""")
    with served(site) as address:
        page = rendered(f"{address}/all.html", tmp_path)
    (site / "all.html").unlink()
    text = re.search(r'<pre id="found">(.*?)</pre>', page, re.DOTALL)
    assert text
    found: dict[str, Any] = json.loads(unescape(text[1]))
    assert sorted(found) == pages
    assert {each["inner"] for each in found.values()} == {NARROW}
    assert not {name: each["lost"] for name, each in found.items() if each["lost"]}
    assert not {name: each for name, each in found.items() if each["width"] > NARROW}
    entries = (ROOT / "docs" / "gallery.md").read_text().count("](gallery/")
    assert found["gallery.html"]["images"] >= entries >= 5


def notebook(site: Path, name: str) -> dict[str, Any]:
    """A tutorial as it can be downloaded, executed."""
    (file,) = site.glob(f"_downloads/*/{name}.ipynb")
    return json.loads(file.read_text())


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_runs(site: Path, tutorial: Path) -> None:
    cells = [c for c in notebook(site, tutorial.stem)["cells"] if c["cell_type"] == "code"]
    written = tutorial.read_text().count("```{code-cell}")
    assert len(cells) == written >= 4
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert all(cell["execution_count"] for cell in cells)
    assert not [o for o in outputs if o.get("name") == "stderr" or o["output_type"] == "error"]
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert pictures
    page = (site / "tutorials" / f"{tutorial.stem}.html").read_text()
    assert page.count("_images/") >= len(pictures)


def documented(site: Path) -> set[str]:
    """Names that the reference describes, from Sphinx's inventory."""
    data = (site / "objects.inv").read_bytes()
    packed = data.split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split()[0] for line in lines if " py:" in line}


def test_reference_has_every_public_name(site: Path) -> None:
    named = documented(site)
    offered = {
        f"pyNN.sparse.{name}"
        for name in dir(sim)
        if not name.startswith("_") and not inspect.ismodule(getattr(sim, name))
    } - {f"pyNN.sparse.{name}" for name in INTERNAL}
    offered |= {f"{p}.{name}" for p in PACKAGES for name in import_module(p).__all__}
    offered |= {f"pynn_sparse.{name}" for name in pynn_sparse.__all__ if name != "__version__"}
    assert len(offered) > 120
    assert not offered - named
