"""On Ray, a cluster of one machine: a node is removed in mid-run, Ctrl-C is pressed, a pair fails."""

import os
import signal

import pytest
import torch

from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import write_adapter
from lorarar.store import Store
from lorarar.workers.hiring import hired

from .bench_plan import TRAINED, pictures, write_plan
from .bench_plan import run as run_alone
from .conftest import random_adapter
from .test_workers import judged, only, rows_of, verdicts_by  # noqa: F401 - a fixture of theirs

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and processes to its end
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster with a machine of one processor; others join and leave."""
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ.update(LORARAR_CACHE=str(tmp_path_factory.mktemp("cache")), RAY_USAGE_STATS_ENABLED="0")
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, "include_dashboard": False})
    yield started
    ray.shutdown()
    started.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as many as a worker has
    yield write_plan(tmp_path, tiny_folder)
    torch.set_num_threads(before)


def after(crew, results, act):
    """Have something happen once so many results have come."""
    heard, wait = [], crew.wait

    def counted(seconds=0.2):
        coming = wait(seconds)
        heard.extend(one for one in coming if one.result is not None)
        if len(heard) >= results and not hasattr(crew, "acted"):
            crew.acted = True
            act()
        return coming

    crew.wait = counted


def run_by(crew, plan_file, out, db):
    with Store(plan_file.parent / db) as store:
        return run_plan(read_plan(plan_file), store, out, crew=crew)


def test_a_machine_is_removed_in_mid_run(cluster, plan_file, tmp_path, capfd):
    text = plan_file.read_text().replace("seeds = 3", "seeds = 4")
    plan_file.write_text(text + TRAINED.split('[[methods]]\nmethod = "joint"')[0])
    run_alone(plan_file, tmp_path / "alone", "alone.db")
    node = cluster.add_node(num_cpus=1, num_gpus=0)
    cluster.wait_for_nodes()
    with hired(cluster.address, 1) as crew:
        assert crew.size == 2
        after(crew, 8, lambda: cluster.remove_node(node, allow_graceful=False))
        outcome = run_by(crew, plan_file, tmp_path / "by", "by.db")
    assert (outcome.generated, outcome.trained, outcome.failures) == (32, 2, [])
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")
    assert rows_of(tmp_path / "by.db") == rows_of(tmp_path / "alone.db")
    said = capfd.readouterr().err
    assert "2 workers, each with 1 processor, on 2 machines" in said
    assert "is lost" in said


def test_ctrl_c_and_then_the_rest(cluster, plan_file, tmp_path):
    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=5)
    with hired(cluster.address) as crew:
        after(crew, 3, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            run_by(crew, plan_file, tmp_path / "by", "by.db")
        drawn = len(pictures(tmp_path / "by"))
        assert 2 <= drawn < 10
        again = run_by(crew, plan_file, tmp_path / "by", "by.db")
    assert (again.existing, again.generated) == (drawn, 10 - drawn)
    run_alone(plan_file, tmp_path / "alone", "alone.db")
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")


def test_verdicts_are_those_of_one_process_row_for_row(cluster, plan_file, judged, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("judge.claimed_parts.LEAST", 8)
    alone, *theirs = verdicts_by(judged, tmp_path / "alone.db")
    with hired(cluster.address) as crew:
        by, *ours = verdicts_by(judged, tmp_path / "by.db", crew)
    assert ours == theirs
    assert by == alone


def test_a_pair_that_fails_is_a_line_of_the_command_and_the_others_are_drawn(cluster, plan_file, run, tmp_path):
    whole = random_adapter(2, 1)
    some, others = (
        {name: layer for name, layer in whole.layers.items() if part in name} for part in ("down_blocks", "up_blocks")
    )
    write_adapter(Adapter(some), tmp_path / "contents" / "c1.safetensors", {"prompt": "a sks dog"})
    write_adapter(Adapter(others), tmp_path / "styles" / "s0.safetensors", {"prompt": "a house in glowing style"})
    only(plan_file, '[[methods]]\nmethod = "lorarar"\nhypernet = "hypernet.safetensors"\n', seeds=1)
    done = run("bench", "run", plan_file, "-o", tmp_path / "by", "--db", "a.db", "--workers", cluster.address, "--json")
    assert done.exit_code == 1
    assert '"drawn": 1' in done.stdout
    assert "lorarar, c1--s0: " in done.stderr
    assert "1 pair failed" in done.stderr
