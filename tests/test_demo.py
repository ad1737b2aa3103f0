"""The demo's pictures are a collection of their own, a row a method: they never count as a plan's."""

from lorarar.pocket import demo
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.store import Store
from lorarar.store.queries import Collection, collection_pictures, collection_sizes


def test_a_demo_is_a_collection_of_its_pair_with_a_row_for_each_method(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "METHODS", ("direct", "lorarar"))
    pair = demo.DemoPair(subject_named("teapot"), style_named("glowing"))
    with Store(tmp_path / "r.db") as store:
        for _ in range(2):  # a second time takes the place of the first
            demo.run_demo(pair, tmp_path / "out", store, seeds=range(2), steps=1)
        with store.reading() as database:
            (size,) = collection_sizes(database)
            rows = collection_pictures(database, size.collection)
    assert (size.collection, size.pictures) == (Collection("demo", "teapot--glowing"), 4)
    assert sorted((row.row, row.content, row.style, row.seed) for row in rows) == [
        (method, "teapot", "glowing", seed) for method in ("direct", "lorarar") for seed in (0, 1)
    ]
