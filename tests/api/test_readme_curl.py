"""The README's examples of the API work as they are printed: each ``sh`` block marked ``# api-example`` is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from makegood.people.models import Shop
from tests import cast as stages

README = Path(__file__).resolve().parents[2] / "README.md"


def examples() -> list[str]:
    text = README.read_text("utf-8") if README.exists() else ""
    return [
        block for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) if "# api-example" in block
    ]


@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_readme_work_as_printed(live_server, call):
    if not examples():
        pytest.skip("README.md has no ```sh block marked '# api-example' yet")
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    cast = stages.assemble()
    Shop.objects.create(
        name="하늘리빙", code="haneul-living", language="ko"
    )  # the demo's shop, which the README names
    environment = {**os.environ, "MAKEGOOD_URL": live_server.url, "MAKEGOOD_TOKEN": call(cast.minji).secret}
    # One shell for all blocks, as a reader types them; every curl fails loudly on an answer that is no 2xx.
    script = 'set -eu\ncurl() { command curl --silent --show-error --fail-with-body "$@"; }\n' + "\n".join(
        examples()
    )
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"number"' in done.stdout
