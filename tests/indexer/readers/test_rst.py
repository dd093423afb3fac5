"""reStructuredText: what docutils makes of it, and what it does not know."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from reader_files import document, outline

from indexer.readers import ReadOptions
from indexer.readers.rst import read_rst

SOURCE = """
==========
Main Title
==========

:Author: Ada Lovelace
:Date: 2024-03-05

Intro with ``code``, *emphasis*, :ref:`the link <target>` and :py:class:`~os.path`.

.. contents::

Section A
=========

.. note:: Take care.

.. versionadded:: 3.2
   The *thing* was added.

.. py:function:: foo(a, b)
   :noindex:

   Does foo.

   - one
   - two

     - nested

.. code-block:: python

   def f():
       return 1

Sub
---

term
  definition

===  ===
a    b
===  ===
1    2
===  ===

| line one
| line two

.. raw:: html

   <b>raw</b>

.. comment
"""


def test_structure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.rst"
    path.write_text(SOURCE)
    item = document(path)
    assert item.title == "Main Title"
    assert dict(item.metadata) == {"author": "Ada Lovelace", "date": date(2024, 3, 5)}
    assert outline(item) == [
        ("heading", 1, "Main Title"),
        ("paragraph", 0, "Intro with code, emphasis, the link and os.path."),
        ("heading", 2, "Section A"),
        ("paragraph", 0, "Take care."),
        ("paragraph", 0, "New in version 3.2"),
        ("paragraph", 0, "The thing was added."),
        ("paragraph", 0, "foo(a, b)"),
        ("paragraph", 0, "Does foo."),
        ("list", 1, "one"),
        ("list", 1, "two"),
        ("list", 2, "nested"),
        ("code", 0, "def f():\n    return 1"),
        ("heading", 3, "Sub"),
        ("paragraph", 0, "term"),
        ("paragraph", 0, "definition"),
        ("table", 0, "a | b\n1 | 2"),
        ("paragraph", 0, "line one\nline two"),
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("T\n=\n\nText.\n\nA\n-\n\nB\n-\n", "T"),
        (".. image:: badge.svg\n   :alt: badge\n\nT\n=\n\nText.\n\nA\n-\n", "T"),
        (
            "|a| T |b|\n=========\n\n.. |a| image:: a.svg\n   :alt: hid\n.. |b| image:: b.svg\n   :target: c\n",
            "T",
        ),
        ("Text above all sections.\n\nFeatures\n========\n\nText.\n", ""),
        ("1.1\n===\n\nNewer.\n\n1.0\n===\n\nOlder.\n", ""),
    ],
)
def test_titles_are_those_of_the_whole_document(source: str, title: str) -> None:
    assert read_rst(source.encode(), ReadOptions()).title == title


def test_badges_are_no_words() -> None:
    source = "T\n=\n\n|a| |b|\n\nSaid |a|.\n\n.. |a| image:: a\n   :alt: hid\n   :target: b\n.. |b| image:: hid.svg\n"
    assert read_rst(source.encode(), ReadOptions()).text == "T\n\nSaid ."


@pytest.mark.parametrize("directive", ["include", "literalinclude", "csv-table", "raw"])
def test_nothing_is_read_from_other_files(directive: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden words")
    source = f"Text.\n\n.. {directive}:: {secret}\n\n.. {directive}:: x\n   :file: {secret}\n\nEnd.\n"
    assert "hidden" not in read_rst(source.encode(), ReadOptions()).text


def test_what_docutils_fails_on_is_read_as_plain_text() -> None:
    source = "Title\n=====\n\n:Date: .. code:: .. code:: nope\nThe text.\n"
    content = read_rst(source.encode(), ReadOptions())
    assert content.text == source
    assert content.blocks[0].kind == "heading"


def test_broken_markup_keeps_its_words(tmp_path: Path) -> None:
    source = "Title\n==\n\nSome *open emphasis and ``open code\n\n.. foo::\n\n   inside words\n"
    text = read_rst(source.encode(), ReadOptions()).text
    for word in ("Title", "open emphasis", "open code", "inside words"):
        assert word in text
