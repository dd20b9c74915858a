"""Downloads that go on where they stopped."""

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from semloss.sources.base import Report

ATTEMPTS = 5
BLOCK = 1 << 18


def resuming(partial: Path, report: Report) -> Callable[[str, str, object], None]:
    """Downloader for `pooch.retrieve` that resumes, which pooch's own do not.

    What has arrived stays in `partial` when the connection or the process ends; the next attempt
    asks the server for the rest (HTTP Range, RFC 9110 section 14). Pooch checks the whole.

    Parameters
    ----------
    partial
        File that keeps the unfinished download.
    report
        Receives a line about every tenth of the way.
    """

    def download(url: str, output_file: str, _: object) -> None:
        for attempt in range(ATTEMPTS):
            try:
                _continue(url, partial, report)
                break
            except urllib.error.HTTPError as error:
                if error.code != 416:  # the kept part does not fit the file on the server
                    raise
                partial.unlink()
            except (OSError, http.client.HTTPException):
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.2 * 2**attempt)
        os.replace(partial, output_file)

    return download


def _continue(url: str, partial: Path, report: Report) -> None:
    """Fetch what is still missing of a file; a connection that ends early is an OSError."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "semloss"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.status != 206:  # the server sends the whole file, not the rest
            have = 0
        total = have + int(answer.headers.get("Content-Length", 0))
        told = -1
        with partial.open("r+b" if have else "wb") as file:
            file.seek(have)
            while block := answer.read(BLOCK):
                file.write(block)
                have += len(block)
                if total and 10 * have // total > told:
                    told = 10 * have // total
                    report(f"downloading {partial.stem}: {have / 1e6:.0f} of {total / 1e6:.0f} MB")
    if have < total:
        raise ConnectionError(f"the connection ended after {have} of {total} bytes")
