"""What the guide to many machines has one copy into a queue: its scripts run as a queue would run them.

The queue is a stand-in that sets the variables that SLURM, torchrun and Kubernetes set, and runs what it is given; in
the fast tests lorarar is one too, that notes how it was called.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .bench_plan import pictures
from .canonical_rows import canonical_rows

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "guides" / "many-machines.md").read_text()
PLAN = """
base = "pocket"
[contents]
names = ["teapot", "vase"]
[styles]
names = ["glowing"]
[pictures]
seeds = 1
steps = 2
device = "cpu"
[[methods]]
method = "direct"
"""
NOTES = """#!/bin/bash
echo "$* RANK=${RANK-none} GPU=${CUDA_VISIBLE_DEVICES-none}" >> calls
[ "$1" = bench ] && touch "lorarar.db.${5/\\//-of-}"
exit 0
"""
SRUN = '#!/bin/bash\nexec "$@"\n'
SBATCH = r"""#!/bin/bash
# the tasks of an array one after another, or what is to be wrapped; each submission is job 7
[ "$1" = --parsable ] && { shift; echo 7; }
[[ "$1" = --dependency=* ]] && { [ "$1" = --dependency=afterok:7 ] || exit 1; shift; }
[ "$1" = --wrap ] && exec bash -c "$2" >&2
last=$(sed -n 's/^#SBATCH --array=0-\([0-9]*\)$/\1/p' "$1")
export SLURM_SUBMIT_DIR=$PWD SLURM_ARRAY_TASK_COUNT=$((last + 1)) SLURM_ARRAY_JOB_ID=7
for SLURM_ARRAY_TASK_ID in $(seq 0 "$last"); do
    (cd / && SLURM_ARRAY_TASK_ID=$SLURM_ARRAY_TASK_ID bash "$SLURM_SUBMIT_DIR/$1") >&2 || exit 1
done
"""


def blocks(heading, language):
    """The blocks of a language below a heading, as they are copied."""
    below = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", below, re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a plan, where programs of the queue are stand-ins, and lorarar notes how it is called."""
    for name, text in (("lorarar", NOTES), ("srun", SRUN), ("sbatch", SBATCH)):
        program(tmp_path, name, text)
    (tmp_path / "mine.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def program(folder, name, text):
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(text)
    (folder / "bin" / name).chmod(0o755)


def bash(script, **variables):
    subprocess.run(["bash", "-euc", script], check=True, env={**os.environ, **variables})


def submit(shards):
    """Do what the guide does with SLURM, in so many shards instead of eight."""
    script, submission = blocks("SLURM", "sh")
    assert "--array=0-7" in script and "of-8" in submission
    Path("grid.sh").write_text(script.replace("--array=0-7", f"--array=0-{shards - 1}"))
    bash(submission.replace("of-8", f"of-{shards}"))


def run_pods(shards):
    """Do what the guide has Kubernetes do, in so many shards instead of eight."""
    yaml = pytest.importorskip("yaml")
    (text,) = blocks("Kubernetes", "yaml")
    spec = yaml.safe_load(text)["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["completionMode"] == "Indexed" and spec["completions"] == 8
    assert pod["restartPolicy"] == "Never"  # as whatever has backoffLimitPerIndex must
    assert container["volumeMounts"][0] == {"name": pod["volumes"][0]["name"], "mountPath": container["workingDir"]}
    for index in range(shards):
        command = [word.replace("/8", f"/{shards}") for word in container["command"]]
        subprocess.run(command, check=True, env={**os.environ, "JOB_COMPLETION_INDEX": str(index)})


def calls():
    return [line.rpartition(" RANK=")[0] for line in Path("calls").read_text().splitlines()]


def test_every_script_of_the_guide_is_one_that_bash_reads():
    scripts = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(scripts) >= 8
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for script in re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL):
        compile(script, "the guide", "exec")


def test_slurm_runs_every_shard_and_gathers_them(place):
    submit(8)
    shards = [f"bench run mine.toml --shard {number}/8" for number in range(1, 9)]
    databases = " ".join(f"lorarar.db.{number}-of-8" for number in range(1, 9))
    assert calls() == [*shards, f"gather {databases} -o lorarar.db"]


def test_kubernetes_runs_every_shard(place):
    run_pods(8)
    assert calls() == [f"bench run mine.toml --shard {number}/8" for number in range(1, 9)]


def test_torchrun_runs_every_shard_on_a_gpu_of_its_own_and_as_no_part_of_a_training(place):
    script, start, same = blocks("torchrun", "sh")
    assert "--nproc-per-node 4" in start and "./shard.sh" in start
    for rank in range(4):
        bash(script, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="4")
    expected = [f"bench run mine.toml --shard {rank + 1}/4 RANK=none GPU={rank}" for rank in range(4)]
    assert Path("calls").read_text().splitlines() == expected
    Path("calls").unlink()
    bash(same)
    assert sorted(Path("calls").read_text().splitlines()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("queue", [submit, run_pods], ids=["SLURM", "Kubernetes"])
def test_what_a_queue_draws_in_two_shards_is_what_one_run_draws(place, queue):
    program(place, "lorarar", f'#!/bin/bash\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m lorarar "$@"\n')
    queue(2)
    if queue is run_pods:
        bash("lorarar gather lorarar.db.*-of-2 -o lorarar.db")
    bash("lorarar bench run mine.toml --db alone.db -o alone")
    (out,) = (place / "out" / "bench").iterdir()
    assert len(pictures(out)) == 2
    assert pictures(out) == pictures(place / "alone")
    assert canonical_rows(place / "lorarar.db") == canonical_rows(place / "alone.db")
