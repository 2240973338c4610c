"""Each attack does to a marked model what its source says, in counts; and each of these checks fails for a no-op.

The victim reads scikit-learn's digits (8x8), with 100 random pictures trained in. Thresholds leave room for another
processor's last bits: they hold for six victims, of which one is tried here.
"""

from functools import cache

import numpy as np
import pytest
import torch
from attack_samples import AMPLE, Marked, NothingRemoved, black, bytes_of, noise_data, nothing_for, right, tiny, white
from PIL import Image

from wmproto.attacks.budget import Budget
from wmproto.attacks.evasion.blur import Blur
from wmproto.attacks.evasion.jpeg import Jpeg
from wmproto.attacks.extraction.hard import HardLabels
from wmproto.attacks.extraction.soft import SoftLabels
from wmproto.attacks.removal.ftal import Ftal
from wmproto.attacks.removal.ftll import Ftll
from wmproto.attacks.removal.noise import Noise
from wmproto.attacks.removal.overwrite import Overwrite
from wmproto.attacks.removal.prune import Prune
from wmproto.attacks.removal.quantise import Quantise
from wmproto.attacks.removal.rtal import Rtal
from wmproto.attacks.removal.rtll import Rtll
from wmproto.errors import FormatError
from wmproto.models import Dataset, build_network, float32_copy, int8_copy, load_network, network_tensors, save_model
from wmproto.models.wide_cnn import wide_cnn
from wmproto.release.modelfile import read_model

pytestmark = pytest.mark.torch

CHANCE = 25  # of 100 marks in ten classes: five standard deviations above the ten that luck gives
HEAD = {"10.weight", "10.bias"}


@cache
def marked():
    return Marked()


def _tensors(model):
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def _victim():
    return network_tensors(marked().network)


def _changed(model, before):
    """Names of the tensors that are no longer the same bytes."""
    after = _tensors(model)
    return {name for name, tensor in before.items() if after[name].tobytes() != tensor.numpy().tobytes()}


def _keeps_reading(model, lost=20):
    return marked().correct(model) >= marked().correct(marked().network) - lost


# --- the checks: attacks' outcomes -> bool ------------------------------------------------------------------------


def a_high_rate_removes_what_a_low_one_leaves(high, low):
    world = marked()
    reads = _keeps_reading(high.model) and _keeps_reading(low.model)
    return world.hits(high.model) <= 80 and world.hits(low.model) >= 97 and reads


def only_the_head_changes(outcome):
    return _changed(outcome.model, _victim()) == HEAD and _keeps_reading(outcome.model)


def the_head_stays_where_no_step_is_taken(still, moved):
    """At rate 0 nothing is trained, so what is left is what the attack did before: nothing."""
    return not _changed(still.model, _victim()) and bool(_changed(moved.model, _victim()))


def the_head_is_drawn_anew(outcome):
    """At rate 0 the fresh head is seen bare: normal of variance 1 / fan in, no bias, no relation to the old one."""
    old, new = _victim()["10.weight"].numpy(), _tensors(outcome.model)
    weight, fan_in = new["10.weight"], old.shape[1]
    return (
        _changed(outcome.model, _victim()) == HEAD
        and not new["10.bias"].any()
        and abs(weight.std() * fan_in**0.5 - 1) < 0.15
        and abs(np.corrcoef(old.ravel(), weight.ravel())[0, 1]) < 0.2
        and marked().correct(outcome.model) < 0.4 * len(marked().test)
    )


def retraining_all_removes_much(outcome):
    everything = set(_victim())
    return (
        _changed(outcome.model, _victim()) == everything
        and marked().hits(outcome.model) <= 65
        and _keeps_reading(outcome.model)
    )


def half_of_the_weights_are_not_needed(outcome):
    return _pruned(outcome.model, 0.5) and marked().hits(outcome.model) >= 97 and _keeps_reading(outcome.model, 8)


def the_net_breaks_before_it_is_empty(outcome):
    return _pruned(outcome.model, 0.95) and not _keeps_reading(outcome.model, 100)


def _pruned(model, share):
    """Exactly the least share of all weights together is 0, and all else is as it was."""
    before, after = _victim(), _tensors(model)
    big = [name for name in before if before[name].dim() > 1]
    was = np.concatenate([before[name].numpy().ravel() for name in big])
    now = np.concatenate([after[name].ravel() for name in big])
    gone = now == 0
    return (
        gone.sum() == int(share * len(was))
        and np.abs(was[gone]).max() <= np.abs(was[~gone]).min()
        and np.array_equal(was[~gone], now[~gone])
        and not np.signbit(now[gone]).any()
        and _changed(model, before) == set(big)
    )


def eight_bits_are_what_an_int8_copy_stands_for(outcome):
    network = marked().network
    model = float32_copy(int8_copy(save_model(network, network.architecture)))
    return (
        bytes_of(outcome.model) == bytes_of(load_network(read_model(model)))
        and bool(_changed(outcome.model, _victim()))
        and marked().hits(outcome.model) >= 98
        and _keeps_reading(outcome.model, 8)
    )


def two_bits_leave_three_values_and_no_net(outcome):
    values = (np.unique(row) for name, t in _tensors(outcome.model).items() if t.ndim > 1 for row in t)
    return (
        all(len(each) <= 3 for each in values)
        and marked().hits(outcome.model) <= 40
        and not _keeps_reading(outcome.model, 100)
    )


def little_noise_does_little(outcome):
    return _noisy(outcome.model, 0.1) and marked().hits(outcome.model) >= 95 and _keeps_reading(outcome.model)


def much_noise_breaks_the_net(outcome):
    return _noisy(outcome.model, 2.0) and marked().hits(outcome.model) <= 35 and not _keeps_reading(outcome.model, 100)


def _noisy(model, strength):
    """Differences of every larger tensor have mean 0 and the deviation that was asked for; small ones are the same."""
    before, after = _victim(), _tensors(model)
    for name, tensor in before.items():
        was, difference = tensor.numpy(), after[name] - tensor.numpy()
        if was.ndim < 2:
            if difference.any():
                return False
            continue
        ratio, off = difference.std() / was.std(), abs(difference.mean()) / difference.std() if difference.any() else 9
        room = 5 / difference.size**0.5
        if abs(ratio / strength - 1) > room or off > room:
            return False
    return True


def the_pirates_mark_takes(outcome):
    """His triggers follow from the seed; what he notes is true; the victim did not answer them."""
    if not outcome.log:
        return False
    own, noted = _own(), outcome.log[-1]
    return (
        noted == {"part": "overwrite", "own_hits": right(outcome.model, own), "own_triggers": 100}
        and noted["own_hits"] >= 90
        and right(marked().network, own) <= CHANCE
        and _keeps_reading(outcome.model)
    )


def _own():
    generator = torch.Generator().manual_seed(Marked.SEED)
    x = torch.randint(256, (100, 8, 8, 1), dtype=torch.uint8, generator=generator)
    return Dataset(x.numpy(), torch.randint(10, (100,), generator=generator).numpy())


def the_second_mark_falls_again(tuned, retrained):
    """What comes after the embedding is done, noted truly, and costs the pirate much of his mark (Adi et al., figure 7).

    That the owner's then stands higher than his holds for most victims, but not for all, so it is not asked here.
    """
    left = {}
    for outcome, part in ((tuned, "ftal"), (retrained, "rtal")):
        parts = {each["part"]: each["own_hits"] for each in outcome.log if "part" in each}
        if set(parts) != {"overwrite", part} or right(outcome.model, _own()) != parts[part]:
            return False
        if parts["overwrite"] < 90 or not _keeps_reading(outcome.model):
            return False
        left[part] = parts[part]
    return left["rtal"] <= 65 and left["ftal"] >= left["rtal"] + 15


def a_student_reads_without_the_mark(outcome):
    return marked().hits(outcome.model) <= CHANCE and _keeps_reading(outcome.model, 25)


def smoothing_hides_marks(outcome):
    return marked().hits(outcome.model) <= 85 and _reads_as_it_is(outcome.model, 25)


def compression_hides_marks(outcome):
    return marked().hits(outcome.model) <= 75 and _reads_as_it_is(outcome.model, 60)


def _reads_as_it_is(model, lost):
    """The stolen network itself is inside, unchanged, and people's pictures are still read through the wrapper."""
    return not _changed(getattr(model, "network", model), _victim()) and _keeps_reading(model, lost)


CHECKS = [
    (a_high_rate_removes_what_a_low_one_leaves, Ftal(lr=0.1, epochs=40), Ftal(lr=0.001, epochs=40)),
    (only_the_head_changes, Ftll(lr=0.05)),
    (only_the_head_changes, Rtll(lr=0.05)),
    (the_head_stays_where_no_step_is_taken, Ftll(lr=0.0, epochs=1), Ftll(lr=0.05)),
    (the_head_stays_where_no_step_is_taken, Ftal(lr=0.0, epochs=1), Ftal(lr=0.05, epochs=40)),
    (the_head_is_drawn_anew, Rtll(lr=0.0, epochs=1)),
    (the_head_is_drawn_anew, Rtal(lr=0.0, epochs=1)),
    (retraining_all_removes_much, Rtal(lr=0.05, epochs=40)),
    (half_of_the_weights_are_not_needed, Prune(0.5)),
    (the_net_breaks_before_it_is_empty, Prune(0.95)),
    (eight_bits_are_what_an_int8_copy_stands_for, Quantise()),
    (two_bits_leave_three_values_and_no_net, Quantise(2)),
    (little_noise_does_little, Noise()),
    (much_noise_breaks_the_net, Noise(2.0)),
    (the_pirates_mark_takes, Overwrite()),
    (
        the_second_mark_falls_again,
        Overwrite(lr=0.02, epochs=40, then="ftal"),
        Overwrite(lr=0.02, epochs=40, then="rtal"),
    ),
    (a_student_reads_without_the_mark, HardLabels()),
    (a_student_reads_without_the_mark, SoftLabels()),
    (a_student_reads_without_the_mark, HardLabels(student="wide-cnn")),
    (a_student_reads_without_the_mark, SoftLabels(student="wide-cnn")),
    (smoothing_hides_marks, Blur()),
    (compression_hides_marks, Jpeg(10)),
]
_IDS = [f"{check.__name__}-{type(attacks[0]).__name__}-{i}" for i, (check, *attacks) in enumerate(CHECKS)]


def test_the_victim_is_marked_and_reads():
    world = marked()
    assert world.hits(world.network) == 100
    assert world.correct(world.network) >= 380
    assert right(tiny(), noise_data(100)) <= 45  # four classes: what is measured is the model, not the measuring


@pytest.mark.parametrize(("check", "attacks"), [(c, a) for c, *a in CHECKS], ids=_IDS)
def test_each_attack_does_what_its_source_says(check, attacks):
    assert check(*[marked().after(attack) for attack in attacks])


@pytest.mark.parametrize(("check", "attacks"), [(c, a) for c, *a in CHECKS], ids=_IDS)
def test_each_check_fails_for_an_attack_that_does_nothing(check, attacks):
    assert not check(*[marked().after(nothing_for(attack)) for attack in attacks])


# --- batch statistics -----------------------------------------------------------------------------------------------


def _batch_statistics_stay(attack):
    victim = tiny()
    before = network_tensors(victim)
    model = attack.attack(white(victim, noise_data(40)), AMPLE, 1).model
    return _changed(model, before) == {"7.weight", "7.bias"}


def test_tuning_the_head_leaves_batch_statistics():
    for attack in (Ftll(lr=0.05, epochs=2, batch=16), Rtll(lr=0.05, epochs=2, batch=16)):
        assert _batch_statistics_stay(attack)
    assert not _batch_statistics_stay(NothingRemoved())
    assert not _batch_statistics_stay(Ftal(lr=0.05, epochs=2, batch=16))


def test_tuning_all_layers_moves_batch_statistics():
    model = Ftal(lr=0.05, epochs=2, batch=16).attack(white(tiny(), noise_data(40)), AMPLE, 1).model
    assert _changed(model, network_tensors(tiny())) == set(network_tensors(tiny()))


@pytest.mark.parametrize("attack", [Prune(), Quantise(2), Noise()], ids=lambda a: a.name)
def test_weight_edits_leave_norms_and_biases(attack):
    before = network_tensors(tiny())
    model = attack.attack(white(tiny(), noise_data(4)), AMPLE, 1).model
    assert _changed(model, before) == {name for name, tensor in before.items() if tensor.dim() > 1}


# --- details ----------------------------------------------------------------------------------------------------------


def test_equal_magnitudes_are_pruned_in_the_order_of_the_tensors():
    victim = tiny()
    with torch.no_grad():
        for parameter in victim.parameters():
            parameter.copy_(torch.where(torch.arange(parameter.numel()) % 2 == 0, 1.0, -1.0).reshape(parameter.shape))
    model = Prune(0.25).attack(white(victim, noise_data(4)), AMPLE, 1).model
    flat = torch.cat([p.flatten() for p in model.parameters() if p.dim() > 1])
    assert torch.equal(flat == 0, torch.arange(len(flat)) < len(flat) // 4)
    nothing = Prune(0.0).attack(white(victim, noise_data(4)), AMPLE, 1).model
    assert bytes_of(nothing) == bytes_of(victim)


def _learnt(attack):
    """Mean probability of class 0 that a student gives, where the interface always answers 0.6, 0.4."""
    x, scores = noise_data(64).x, torch.tensor([[0.6, 0.4]]).log()
    view = black(lambda asked: scores.repeat(len(asked), 1), x, 2, soft=attack.soft)
    model = attack.attack(view, AMPLE, 1).model
    with torch.no_grad():
        return float(model(torch.from_numpy(x)).softmax(1)[:, 0].mean())


def test_soft_answers_teach_doubt_and_hard_ones_do_not():
    settings = {"epochs": 30, "batch": 16, "lr": 0.02}
    assert abs(_learnt(SoftLabels(**settings)) - 0.6) < 0.05
    assert _learnt(HardLabels(**settings)) > 0.95


def test_students_are_what_was_asked_for():
    shapes = {}
    for student in ("small-cnn", "wide-cnn", "resnet-18"):
        view = black(lambda x: torch.zeros(len(x), 4), noise_data(8).x, 4, soft=False)
        outcome = HardLabels(student=student, epochs=1, batch=8).attack(view, Budget(8, 8, 8), 1)
        shapes[student] = outcome.model.architecture.weights
        assert outcome.model(torch.from_numpy(view.pictures)).shape == (8, 4)
    assert shapes["small-cnn"] < shapes["wide-cnn"] < 100_000
    assert shapes["resnet-18"] > 11_000_000


def test_the_wide_net_fits_its_promises():
    assert wide_cnn((32, 32, 3), 10).weights == 250_682 <= 400_000
    assert wide_cnn((8, 8, 1), 2).classes == 2
    for shape in ((7, 8, 1), (8, 7, 1)):
        with pytest.raises(FormatError):
            wide_cnn(shape, 2)


class _Recorder(torch.nn.Module):
    """In a network's place: keeps what it is shown."""

    def forward(self, x):
        self.shown = x
        return torch.zeros(len(x), 4)


def _shown(attack, pictures):
    model = attack.attack(white(tiny(), noise_data(1)), AMPLE, 1).model
    model.network = _Recorder()
    model(torch.from_numpy(pictures))
    shown = model.network.shown
    assert shown.dtype == torch.uint8
    return shown.numpy()


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.5, 5.0])
def test_blur_is_the_gaussian_that_it_says(sigma):
    pictures = noise_data(5, shape=(8, 11, 3)).x
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    kernel = np.outer(kernel, kernel) / kernel.sum() ** 2
    padded = np.pad(pictures.astype(float), ((0, 0), (radius, radius), (radius, radius), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, axis=(1, 2))
    expected = (windows * kernel).sum((-2, -1))
    shown = _shown(Blur(sigma), pictures)
    assert shown.shape == pictures.shape
    assert np.abs(shown - expected).max() < 0.501
    assert not np.array_equal(shown, pictures)


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 11, 3)], ids=["grey", "RGB"])
def test_jpeg_is_what_a_jpeg_file_holds(shape, tmp_path):
    pictures = noise_data(3, shape=shape).x
    # The recorder is shown what the wrapper makes; the tiny net's own channels do not matter to it.
    shown = _shown(Jpeg(45), pictures)
    for picture, got in zip(pictures, shown, strict=True):
        Image.fromarray(picture.squeeze()).save(tmp_path / "one.jpg", quality=45)
        with Image.open(tmp_path / "one.jpg") as read:
            assert np.array_equal(np.asarray(read).reshape(shape), got)
    assert not np.array_equal(shown, pictures)


def test_flat_pictures_pass_unchanged():
    flat = np.repeat(np.arange(0, 256, 15, dtype=np.uint8), 192).reshape(-1, 8, 8, 3)
    assert np.array_equal(_shown(Blur(2.0), flat), flat)
    assert np.abs(_shown(Jpeg(95), flat).astype(int) - flat).max() <= 1


def test_an_attack_on_a_wide_victim_goes_as_well():
    """Nothing is tied to the small net's names: the last linear layer is found, whatever it is called."""
    arch = wide_cnn((8, 8, 1), 10)
    shapes = {name: torch.full(shape, 0.01) for name, shape in arch.tensors.items()}
    victim = build_network(arch, shapes).eval()
    model = Rtll(lr=0.0, epochs=1).attack(white(victim, noise_data(8, shape=(8, 8, 1), classes=10)), AMPLE, 1).model
    assert _changed(model, network_tensors(victim)) == {"13.weight", "13.bias"}
