"""A balance is learnt from what a judge prefers: what features tell is found, and what they do not tell is not."""

from contextlib import nullcontext

import pytest
import torch

from lorarar.families import find_base
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import read_adapter, read_provenance
from lorarar.merging.heads.balance import BalanceHead
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.pictures.concepts import Concept
from lorarar.store import Store
from lorarar.store.acceptance import JudgeChoice
from lorarar.store.merged_loras import KnownLora, KnownMerge
from lorarar.training.balance_preference import Constant, Preferences
from lorarar.training.balance_training import BalanceFit, train_balance
from lorarar.training.judged_balances import JudgedBalances, JudgedPair, Tried, is_plain_sum, read_balances
from lorarar.training.loop import train
from lorarar.training.options import HypernetOptions
from lorarar.util.errors import TrainingError

from .studies_database import add_verdicts

BALANCES = torch.tensor([[0.7, 1.0], [0.8, 0.8], [1.0, 0.35], [1.0, 0.5], [1.0, 0.7]])  # as pairs have them, sorted
FLAT = torch.tensor([0.400, 0.436, 0.236, 0.311, 0.358])  # Pocket's rates of them
OPTIONS = HypernetOptions(head="balance", objective="accepted", hidden=16, pairs=64, steps=120, rate=0.005)
SIDE, GROUPS = 14, 2  # LoRAs of each side, block groups


def features_of(head, seed):
    """Features (SIDE * SIDE, GROUPS, F) whose first number is content's and whose second is style's, the rest noise."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(SIDE * SIDE, GROUPS, head.group.in_features, generator=generator) * 0.2
    ours, theirs = torch.randn(2, SIDE, generator=generator)
    features[..., 0], features[..., 1] = ours.repeat_interleave(SIDE)[:, None], theirs.repeat(SIDE)[:, None]
    return features


def planted(features):
    """Rates (N, 5) of balances: more style where content's number is larger than style's."""
    ideal = (features[:, 0, 0] - features[:, 0, 1]).clamp(-1.5, 1.5)
    ratio = (BALANCES[:, 1] / BALANCES[:, 0]).log()
    return 0.6 * torch.exp(-3 * (ratio - (0.4 * ideal - 0.4)[:, None]).square())


def judged(rates, pictures, seed=0):
    """Pairs with verdicts that are drawn by their rates (N, 5)."""
    generator = torch.Generator().manual_seed(seed)
    yes = torch.stack([torch.bernoulli(rates, generator=generator) for _ in range(pictures)]).sum(0)
    sides = [[Concept(f"{side}{at}", Adapter({}, sha256=f"{side}{at}"), (), "") for at in range(SIDE)] for side in "cs"]
    pairs = [
        JudgedPair(
            *divmod(place, SIDE),
            tuple(Tried(tuple(w), pictures, int(y)) for w, y in zip(BALANCES.tolist(), row, strict=True)),
        )
        for place, row in enumerate(yes.tolist())
    ]
    return JudgedBalances(*sides, {"digest": ""}, [pair for pair in pairs if any(one.accepted for one in pair.tried)])


def fit(rates_of, pictures, options=OPTIONS, checkpoint=None):
    torch.manual_seed(0)
    head = BalanceHead(16)
    head.start()
    features = features_of(head, 1)
    balances = judged(rates_of(features), pictures)
    own = [features[pair.content * SIDE + pair.style] for pair in balances.pairs]
    return BalanceFit(head, own, balances, options, None).fit(checkpoint, {"a": 1})


def picks(training, seed):
    """The judged balance that is nearest to the predicted one of each of other pairs, and these pairs' rates."""
    features = features_of(training.head, seed)
    with torch.no_grad():
        balances = training.head.balances(features).mean(1)
    return torch.cdist(balances, BALANCES).argmin(1), planted(features)


def test_a_planted_preference_is_found_for_pairs_of_loras_that_were_not_seen():
    training = fit(planted, 3)
    assert training.kept > 0 and training.gain.low > 0 and training.held_out > 20
    chosen, rates = picks(training, 7)
    of_chosen = rates.gather(1, chosen[:, None]).mean()
    constant, oracle = rates.mean(0).max(), rates.max(1).values.mean()
    assert of_chosen > constant + 0.6 * (oracle - constant)
    assert "of them kept" in training.line and training.record["kept"] == training.kept and training.steps > 0


def test_where_features_tell_nothing_every_pair_has_the_best_constant():
    training = fit(lambda features: FLAT.expand(len(features), 5), 2)
    assert training.kept == 0 and training.gain.low <= 0
    balances = training.head.balances(features_of(training.head, 7)).flatten(0, 1)
    torch.testing.assert_close(balances, torch.tensor(training.constant).expand_as(balances))
    assert torch.cdist(balances[:1], BALANCES).argmin() == 1
    assert "every pair has the constant" in training.line


def test_a_killed_training_ends_as_an_unbroken_one(tmp_path, monkeypatch):
    def interrupted(*given, **options):
        with monkeypatch.context() as patch:
            patch.setattr(
                "lorarar.training.loop.held_interrupt", lambda: nullcontext(lambda: options["title"] == "balance")
            )
            return train(*given, **options)

    whole = fit(planted, 3)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lorarar.training.balance_training.train", interrupted)
        fit(planted, 3, checkpoint=tmp_path / "state.pt")
    assert whole.kept > 0 and torch.load(tmp_path / "state.pt")["step"] == 1
    again = fit(planted, 3, checkpoint=tmp_path / "state.pt")
    for name, tensor in whole.head.state_dict().items():
        assert torch.equal(tensor, again.head.state_dict()[name])


def test_the_loss_is_the_likelihood_of_the_accepted_pictures_written_out():
    tried = (Tried((1.0, 0.5), 4, 1), Tried((0.8, 0.8), 2, 2))
    preferences = Preferences.of([JudgedPair(0, 0, tried), JudgedPair(0, 1, (*tried, Tried((0.7, 1.0), 3, 0)))])
    ideal, sharpness = torch.tensor([[0.9, 0.6]]), torch.tensor(2.0)
    rates = [4 * torch.exp(torch.tensor(-2 * (0.01 + 0.01))), 2 * torch.exp(torch.tensor(-2 * (0.01 + 0.04)))]
    by_hand = -(rates[0] / sum(rates)).log() / 3 - 2 * (rates[1] / sum(rates)).log() / 3
    losses = preferences.loss(ideal.expand(2, 2), sharpness)
    torch.testing.assert_close(losses[0], by_hand)
    assert losses[1] > losses[0] and torch.isfinite(losses).all()
    best = Constant.best(preferences.at(torch.tensor([0])))
    assert torch.dist(best.balance, torch.tensor([0.8, 0.8])) < torch.dist(best.balance, torch.tensor([1.0, 0.5]))


def test_other_merges_than_plain_sums_are_no_balances():
    def merge(method="direct", **options):
        return KnownMerge(KnownLora("a", ""), KnownLora("b", ""), method, {"seed": 0, "weights": [1, 0.5], **options})

    assert is_plain_sum(merge())
    assert not is_plain_sum(merge("ties")) and not is_plain_sum(merge(balance="energy"))


def half(row, content, style, seed):
    return (row == "half" or seed == 0) and (content, style) != ("c1", "s1")


def test_balances_are_read_from_what_was_judged(pool, tiny_folder, capsys):
    add_verdicts(pool, half)
    base = find_base(str(tiny_folder))
    with Store(pool, read_only=True) as store:
        balances = read_balances(store, ["pool"], JudgeChoice(), base)
        with pytest.raises(TrainingError, match="no pair with several judged"):
            read_balances(store, ["plan=pool,row=half"], JudgeChoice(), base)
    tried = (Tried((0.5, 0.5), 2, 2), Tried((1.0, 1.0), 2, 1))
    assert [pair.tried for pair in balances.pairs] == [tried] * 3
    assert (balances.record["pictures"], balances.record["pairs"]) == (12, 3)
    assert "16 pictures of 2 balances, which tell of 3 pairs; 1 pair of which none" in capsys.readouterr().err


def test_the_command_trains_it_without_a_unet(run, pool, tiny_folder, tmp_path, monkeypatch):
    add_verdicts(pool, half)
    monkeypatch.setattr("lorarar.training.setup.load_for_training", None)
    given = ("train", "hypernet", "--base", tiny_folder, "--db", pool, "--device", "cpu", "--parts", "query,output")
    more = ("--objective", "accepted", "--accepted", "pool", "--head", "balance", "--steps", 3, "--hidden", 8)
    result = run(*given, *more, "-o", "h.safetensors")
    assert result.exit_code == 0, result.output
    assert "the best balance for all pairs is" in result.stderr
    header = read_provenance(tmp_path / "h.safetensors")
    assert header["accepted"]["pairs"] == 3 and header["balance"]["kept"] == 0
    network = read_hypernet(tmp_path / "h.safetensors")
    pair = [network.spelt(read_adapter(tmp_path / side / f"{side[0]}1.safetensors")) for side in ("contents", "styles")]
    content, style = header["balance"]["constant"]
    predicted = {layer: pair for layer, pair in network(*pair).items() if network.predicts(layer)}
    assert predicted and all(torch.allclose(m_c, torch.tensor(content)) for m_c, _ in predicted.values())
    assert all(torch.allclose(m_s, torch.tensor(style)) for _, m_s in predicted.values())
    result = run(*given, *more, "-o", "x.safetensors", "--keep-every", 1)
    assert result.exit_code == 2 and "--keep-every" in result.stderr


def test_another_heads_training_is_refused(pool, tiny_folder):
    add_verdicts(pool, half)
    with Store(pool, read_only=True) as store:
        balances = read_balances(store, ["pool"], JudgeChoice(), find_base(str(tiny_folder)))
    with pytest.raises(TrainingError, match="predicts no balances"):
        train_balance(balances, HypernetOptions(objective="accepted"))


def test_the_best_constant_is_finite_where_no_sharpness_would_be_enough():
    alone = JudgedPair(0, 0, (Tried((1.0, 1.0), 1, 1), Tried((1.0, 1.0001), 1, 0)))
    both = JudgedPair(0, 1, (Tried((1.0, 0.5), 2, 1), Tried((0.8, 0.8), 2, 1), Tried((0.7, 1.0), 2, 0)))
    best = Constant.best(preferences := Preferences.of([alone, both]))
    assert torch.isfinite(torch.cat([best.balance, best.sharpness.view(1), best.loss(preferences)])).all()
