"""Below the torch line: networks of the closed grammar, data sets, training, and weights in escrow. Needs torch."""

from wmproto.models.cnn import initial_tensors, small_cnn, standardisation
from wmproto.models.data import Dataset, load_npz, mnist_5000, split
from wmproto.models.escrow import EscrowSuspect
from wmproto.models.int8 import float32_copy, int8_copy
from wmproto.models.network import Network, build_network, network_tensors
from wmproto.models.recipe import Recipe
from wmproto.models.resnet import resnet18
from wmproto.models.savepoint import Savepoint
from wmproto.models.training import Batches, accuracy, descend, fine_tune, train, trained
from wmproto.models.weights import load_network, save_model

__all__ = [
    "Batches",
    "Dataset",
    "EscrowSuspect",
    "Network",
    "Recipe",
    "Savepoint",
    "accuracy",
    "build_network",
    "descend",
    "fine_tune",
    "float32_copy",
    "initial_tensors",
    "int8_copy",
    "load_network",
    "load_npz",
    "mnist_5000",
    "network_tensors",
    "resnet18",
    "save_model",
    "small_cnn",
    "split",
    "standardisation",
    "train",
    "trained",
]
