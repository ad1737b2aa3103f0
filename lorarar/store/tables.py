"""What the engine's tables hold, in words: the page on the database is made of them, and ``lorarar db`` speaks so."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.store.schema import TableWords

_CREATED = "when the row was added, UTC"
_ID = "number of the row"

_PLACE = (
    "where its file is: relative to the database's folder if it is below that, else the whole path; rows of "
    "version 0.1 are relative to the folder in which a command was run"
)

TABLES: Mapping[str, TableWords] = {
    "adapters": TableWords(
        "LoRAs that were read or made, each once by the bytes of its file",
        {
            "id": _ID,
            "sha256": "of the file; of what would be written, where a merge wrote none",
            "path": f"{_PLACE}; empty where none was written",
            "name": "the LoRA's name",
            "kind": "`content`, `style`, `merged` or `unknown`",
            "ranks": "the ranks of its layers, a JSON list",
            "layers": "how many layers it has",
            "created": _CREATED,
        },
    ),
    "merges": TableWords(
        "Merges: a content and a style by a method with its options, and the adapter that came of it; of more LoRAs "
        "the first two, with the others in `merge_inputs`",
        {
            "id": _ID,
            "adapter": "the result",
            "content": "the content LoRA, or the first of several",
            "style": "the style LoRA, or the second of several",
            "method": "name of the method",
            "options": "all options that decided it, JSON",
            "base": "the base's name",
            "base_revision": "the base's revision, where it has one",
            "version": "of lorarar",
            "seconds": "reading, computing and writing together",
            "discarded": "share of the update's energy that truncation left out",
            "axis": "what its coefficients are of, where it has any: `column`s, `rank` components or the `layer`",
            "created": _CREATED,
        },
    ),
    "merge_inputs": TableWords(
        "The third and further LoRAs of merges that have more than two",
        {"merge": "the merge", "place": "3, 4 …, in the order they were given", "adapter": "the LoRA"},
    ),
    "coefficients": TableWords(
        "The merging coefficients of a merge by layer (Eq. 1), half precision, little-endian; along columns a constant "
        "vector is one number",
        {
            "merge": "the merge",
            "layer": "the layer's name",
            "width": "how many columns the layer has, so the length of both vectors; along ranks that of `content`",
            "content": "m_c",
            "style": "m_s",
        },
    ),
    "images": TableWords(
        "Pictures, each with what made it; `key` finds it again",
        {
            "id": _ID,
            "path": _PLACE,
            "sha256": "of its file",
            "prompt": "what it was made from; empty where an import says none",
            "base": "the base's name; empty of an imported one",
            "base_revision": "the base's revision, where it has one",
            "adapter": "the LoRA it was made with",
            "merge": "the merge that this LoRA came of",
            "seed": "its seed; one of 2^63 or more less 2^64, as integers are signed here; 0 where an import says none",
            "steps": "denoising steps",
            "guidance": "of classifier-free guidance",
            "width": "pixels",
            "height": "pixels",
            "seconds": "that making it took",
            "version": "of lorarar",
            "created": _CREATED,
            "key": "digest of all that decides it; of version 0.1, where that version knew one",
            "makings": "what is recorded of its making beside the columns: device, precision, versions; JSON",
            "single": "1 where it was drawn on its own, by `lorarar generate`",
        },
    ),
    "collections": TableWords(
        "Pictures that belong together: a plan's grid, a demo's pair, a blend's pair, an import of one's own",
        {
            "id": _ID,
            "kind": "`plan`, `demo`, `blend` or `import`",
            "name": "the plan's title, the pair, the import's title, or the folder's path",
            "folder": "where its pictures are, or the file that lists them, where that is known",
            "reference_folder": "where the references of an import are",
            "created": _CREATED,
        },
    ),
    "cells": TableWords(
        "Which picture a collection shows in each place of its grid; a picture may be in many",
        {
            "collection": "the collection",
            "row": "the plan's row, or the method; `pictures` where an import says none",
            "content": "name of the content",
            "style": "name of the style",
            "seed": "the seed, as that of the picture; of an import whose seeds tell no pictures apart, a number",
            "image": "the picture",
            "created": _CREATED,
        },
    ),
    "concepts": TableWords(
        "What a collection was asked with for a concept, where a plan or a text beside its LoRA says it and not the "
        "LoRA's own header, and the words of an import's styles; what is nothing here is as the LoRA, or the folder's "
        "name, says it",
        {
            "collection": "the collection",
            "side": "`content` or `style`",
            "name": "name of the concept",
            "prompt": "that the LoRA was trained with",
            "images": "where its references are, like `adapters.path`",
            "token": "its rare token; empty where it has none",
            "style": "a style's words",
        },
    ),
    "reference_pictures": TableWords(
        "References of an import's concepts that were named one by one; those of other concepts are looked for in "
        "`collections.reference_folder`",
        {
            "collection": "the collection",
            "side": "`content` or `style`",
            "name": "name of the concept",
            "place": "0, 1 …, in the order in which they are shown",
            "path": "where it is, like `images.path`",
        },
    ),
    "file_digests": TableWords(
        "The bytes of files in the state in which they were last read; only the machine that read them knows it again",
        {
            "path": "whole path of the file",
            "state": "number, size and times of change of the file, as its folder said",
            "sha256": "of its bytes",
        },
    ),
    "claims": TableWords(
        "Work that a process has in hand, so that several share it; one whose time is over counts for nothing",
        {"key": "digest of the work", "owner": "the process", "until": "when the claim ends, seconds since 1970"},
    ),
    "extensions": TableWords(
        "How many steps of each other schema have been applied; the engine's own are in `PRAGMA user_version`",
        {"owner": "the schema's name", "applied": "its steps"},
    ),
}
