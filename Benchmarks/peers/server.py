"""server.py: llama-server with one target, loaded, and what its answers took."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from .bench import PICTURE, QUESTION, Bench
from .results import BenchmarkError

# Words that the demo's models, widened or not, know.
FIRST_WORD, WORDS = 300, 1200


class Server:
    """llama-server in its best settings for processors: no flash attention, one slot. Use as a context manager."""

    def __init__(
        self, bench: Bench, target: Path, *, draft: Path | None = None, length: float | None = None,
        mmproj: Path | None = None,
    ) -> None:  # fmt: skip
        """`length` replaces acceptance by coin flips with that many tokens a round on average."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [bench.llama / "bin" / "llama-server", "-m", target, "-t", bench.options.threads, "-c", 2048, "-np", 1,
                   "--cache-ram", 0, "-fa", "off", "--host", "127.0.0.1", "--port", port]  # fmt: skip
        if draft is not None:
            # A chain of three is the draft that pays best there.
            command += ["-md", draft, "--spec-type", "draft-simple", "--spec-draft-n-max", 3]
            command += ["--spec-synth-len", f"{length:.2f}"] if length else []
        if mmproj is not None:
            command += ["--mmproj", mmproj]
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log)

    def __enter__(self) -> Server:
        end = time.monotonic() + 300
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.address + "/health", timeout=5):
                    return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        message = f"llama-server did not start:\n{self._said()}"
        self.__exit__()
        raise BenchmarkError(message)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def decode(self, context: int, tokens: int) -> dict:
        """The server's own figures of `tokens` tokens after a text of `context`."""
        prompt = [1] + [FIRST_WORD + number * 7919 % WORDS for number in range(context - 1)]
        body = {"prompt": prompt, "n_predict": tokens, "ignore_eos": True, "cache_prompt": False, "temperature": 0}
        return self._post("/completion", body)["timings"]

    def first_token(self) -> float:
        """Seconds from sending the picture and the question until the first token is there."""
        with urllib.request.urlopen(self.address + "/props", timeout=60) as answer:
            marker = json.loads(answer.read())["media_marker"]
        prompt = {"prompt_string": f"USER: {marker}\n{QUESTION} ASSISTANT:",
                  "multimodal_data": [base64.b64encode(PICTURE.read_bytes()).decode("ascii")]}  # fmt: skip
        body = {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": False}
        start = time.monotonic()
        self._post("/completion", body)
        return time.monotonic() - start

    def _post(self, path: str, body: dict) -> dict:
        request = urllib.request.Request(
            self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=1800) as answer:
                return json.loads(answer.read())
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            raise BenchmarkError(f"llama-server did not answer ({error}):\n{self._said()}") from error

    def _said(self) -> str:
        self.log.seek(0)
        return "\n".join(self.log.read().strip().splitlines()[-8:])
