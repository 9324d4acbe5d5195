"""What all programs' command lines have in common: help, version, errors, completion, manual."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness.process import binary

PROGRAMS = ("csctl", "cs-launcher", "cs-verifier", "cs-vtpm", "cs-firewall")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of ours."""
    return subprocess.run([binary(str(words[0])), *map(str, words[1:])], capture_output=True, text=True, check=False, timeout=30)


def subcommands(*words: str) -> Iterator[list[str]]:
    """Yield a program and all that stands under it, as its help tells."""
    yield list(words)
    block = re.search(r"^Subcommands:\n((?:  .*\n)+)", run(*words, "--help").stdout, re.MULTILINE)
    for name in re.findall(r"^  (\S+)", block.group(1), re.MULTILINE) if block else []:
        yield from subcommands(*words, name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_version_names_the_build(program: str) -> None:
    """The same of each run, and another for each program."""
    done = run(program, "--version")
    assert done.returncode == 0
    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+ \(build [0-9a-f]{{40}}\)\n", done.stdout)
    assert len({run(each, "--version").stdout.split()[-1] for each in PROGRAMS}) == len(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_unknown_words_are_named(program: str) -> None:
    """On one line, behind the program's name."""
    for words in subcommands(program):
        takes_arguments = "Arguments:" in run(*words, "--help").stdout
        for wrong in ("--frob",) if takes_arguments else ("--frob", "frob"):
            done = run(*words, wrong)
            assert done.returncode not in (0, 1) and done.stdout == ""
            assert done.stderr.startswith(f"{program}: ") and done.stderr.count("\n") == 1
            assert "frob" in done.stderr or "required" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_is_explained(program: str) -> None:
    """With help text, and enums as words."""
    for words in subcommands(program):
        done = run(*words, "--help")
        assert done.returncode == 0, words
        lines = [line for line in done.stdout.splitlines() if " " in line.strip()]
        assert [line for line in lines if len(line) > 80 and not line.startswith(f"  {program}")] == []
        for option in re.findall(r"^  (-.*(?:\n {6,}.*)*)", done.stdout, re.MULTILINE):
            explanation = re.split(r" {2,}|\n", option, maxsplit=1)[1:]
            assert explanation and re.search(r"[a-z]{3}", explanation[0].replace("[required]", "")), f"{words}: {option}"
        assert "->" not in done.stdout and "UINT" not in done.stdout and ":{" not in done.stdout


def test_every_question_has_an_example() -> None:
    """Of csctl, which is for people."""
    for words in subcommands("csctl"):
        text = run(*words, "--help").stdout
        if "Subcommands:" not in text:
            assert f"Example:\n  {' '.join(words)}" in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_manual_pages_are_sound(program: str, tmp_path: Path) -> None:
    """A page for each subcommand, which groff has nothing to say against."""
    assert run(program, "--manual", tmp_path).returncode == 0
    pages = sorted(tmp_path.iterdir())
    assert sorted(page.stem for page in pages) == sorted("-".join(words) for words in subcommands(program))
    for page in pages:
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, check=False, timeout=30
        )
        assert (done.returncode, done.stderr) == (0, "")


def completed(shell: str, program: str, line: str, tmp_path: Path) -> set[str]:
    """Return what a shell offers for the last word of a line."""
    script = tmp_path / "completion"
    script.write_text(run(program, "--completion", shell).stdout)
    words = line.split(" ")
    if shell == "bash":
        text = (
            f"source {script}; COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; "
            f'_{program.replace("-", "_")}; printf "%s\\n" "${{COMPREPLY[@]}}"'
        )
        command = ["bash", "-c", text]
    elif shell == "zsh":
        name = "_" + program.replace("-", "_")
        text = (
            f"compdef() {{ :; }}; source {script}; {name}_words {' '.join(words[:-1])}; "
            "print -rl -- ${(M)${=words}:#" + words[-1] + "*}"
        )
        command = ["zsh", "-f", "-c", text]
    else:
        command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=30)
    assert done.stderr == "", done.stderr
    return {each.split("\t")[0].strip() for each in done.stdout.splitlines() if each.strip()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str, tmp_path: Path) -> None:
    """Subcommands, options and choices."""
    assert {"eventlog", "evidence"} <= completed(shell, "csctl", "csctl ev", tmp_path)
    assert completed(shell, "csctl", "csctl eventlog d", tmp_path) == {"diff"}
    assert "--at" in completed(shell, "csctl", "csctl evidence verify x --a", tmp_path)
    assert completed(shell, "csctl", "csctl predict --bank sha3", tmp_path) == {"sha384"}
    assert completed(shell, "csctl", "csctl predict --debug --ba", tmp_path) == {"--bank"}
    assert "--metadata-file" in completed(shell, "cs-launcher", "cs-launcher --meta", tmp_path)
    assert completed(shell, "cs-launcher", "cs-launcher --attestation-key e", tmp_path) == {"ecc"}
    assert "reference-value" in completed(shell, "cs-verifier", "cs-verifier ref", tmp_path)


def test_bash_completes_files(tmp_path: Path) -> None:
    """Where an option or argument is one."""
    (tmp_path / "metadata.json").touch()
    assert completed("bash", "csctl", "csctl predict --metadata meta", tmp_path) == {"metadata.json"}
    assert completed("bash", "csctl", "csctl evidence show meta", tmp_path) == {"metadata.json"}
