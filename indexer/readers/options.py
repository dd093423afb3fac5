"""What the readers may be told, and the limits that keep one bad file from taking the machine with it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from indexer.errors import InvalidSettings

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a corpus is read.

    Args:
        ignore: Patterns in gitignore style, relative to the root, of files and folders to leave out.
        hidden: Whether files and folders whose name begins with a dot are read.
        follow_links: Whether symbolic links to folders are walked (links to files always are read). Each
            folder is read once, so that loops end.
        id_fields: Where a record's id is looked for, in this order.
        title_fields: Where a record's title is looked for.
        text_fields: Where a record's text is looked for.
        date_fields: Metadata fields of records whose ISO 8601 strings become dates; others stay strings.
        number_fields: Metadata fields of records whose strings become numbers; in CSV all values are strings.
        max_file_bytes: The largest file that is read whole. Files of records are streamed and may be larger.
        max_text_chars: The most characters that one document may have.
        max_record_bytes: The longest line of a file of records.
        max_uncompressed_bytes: The most that a compressed document may unpack to.
        max_ratio: The most that compressed data may grow on unpacking, once it is past 32 MiB.
        max_pages: The most pages of one PDF.

    Raises:
        InvalidSettings: a limit is below 1, a pattern is given as one string, or there is no field to look in.
    """

    ignore: tuple[str, ...] = ()
    hidden: bool = False
    follow_links: bool = False
    id_fields: tuple[str, ...] = ("_id", "id", "doc_id")
    title_fields: tuple[str, ...] = ("title",)
    text_fields: tuple[str, ...] = ("text", "body", "content", "contents", "abstract")
    date_fields: tuple[str, ...] = ()
    number_fields: tuple[str, ...] = ()
    max_file_bytes: int = 512 * MEBIBYTE
    max_text_chars: int = 50_000_000
    max_record_bytes: int = 128 * MEBIBYTE
    max_uncompressed_bytes: int = 512 * MEBIBYTE
    max_ratio: int = 200
    max_pages: int = 20_000

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name.startswith("max_") and (not isinstance(value, int) or value < 1):
                raise InvalidSettings(f"{each.name} must be a whole number of at least 1, found {value!r}")
            if each.name == "ignore" or each.name.endswith("_fields"):
                if isinstance(value, str):
                    raise InvalidSettings(f"{each.name} takes a list of strings, found the string {value!r}")
                object.__setattr__(self, each.name, tuple(value))
        if not self.id_fields or not self.text_fields:
            raise InvalidSettings("id_fields and text_fields must each name at least one field")
