"""BERT-small, BarcodeBERT and CLIBD: our towers against the modules that their publications describe."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    BertModel,
)

from holotype.config import checked
from holotype.errors import RecipeError
from holotype.inputs.batches import Batch, ImageBatch
from holotype.models.aligned import AlignedModel, ModelSettings
from holotype.models.pretrained.kmers import KmerTokens, tokens_for
from holotype.models.towers import (
    BarcodeSettings,
    CaptionSettings,
    Modality,
    barcode_tower,
    caption_tower,
)

SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 96,
    "max_position_embeddings": 200,
}  # fmt: skip
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "diptera",
    "cecid",
    "##omyi",
    "##idae",
    "not",
    "_",
]
TEXTS = ["Diptera Cecidomyiidae", "diptera not_classified", "DIPTERA " * 40, ""]
BARCODES = [
    "ACGTTGCATGTCGCATGATGCATGAGAGCT" * 21 + "ACG",
    "ACGTN" * 9,
    "acgta" * 30,
    "ACGRTTTT",
    "T" * 700,
]


def vocabulary(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return folder


def stirred(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


@pytest.mark.parametrize("old", [False, True], ids=["today's names", "names of 2019"])
def test_bert_captions_equal_transformers(tmp_path: Path, old: bool) -> None:
    config = BertConfig(vocab_size=len(PIECES), **SMALL)
    original = stirred(BertForMaskedLM(config))
    folder = vocabulary(tmp_path / "bert")
    (folder / "config.json").write_text(json.dumps(config.to_dict(), default=str))
    state = original.state_dict()
    if old:
        swap = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        state = {
            next((k.replace(a, b) for a, b in swap.items() if k.endswith(a)), k): v
            for k, v in state.items()
        }
    torch.save(state, folder / "pytorch_model.bin")
    tower = caption_tower(CaptionSettings(tower="bert", weights=str(folder), max_tokens=12)).eval()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    theirs = AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding=True, truncation=True, max_length=12, return_tensors="pt"
    )
    token_BT, mask_BT = tower.tokenise(TEXTS)
    assert torch.equal(token_BT, theirs["input_ids"])
    assert torch.equal(mask_BT, theirs["attention_mask"])
    with torch.no_grad():
        read_BTD = original.bert(**theirs).last_hidden_state
        weight_BT1 = mask_BT.unsqueeze(2)
        expected = (read_BTD * weight_BT1).sum(1) / weight_BT1.sum(1)
        assert torch.allclose(tower(token_BT, mask_BT), expected, atol=1e-5)


def test_bert_without_its_papers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"needs captions.weights: a folder with config.json"):
        caption_tower(CaptionSettings(tower="bert"))
    state = BertModel(BertConfig(vocab_size=11, **SMALL), add_pooling_layer=False).state_dict()
    torch.save(state, tmp_path / "pytorch_model.bin")
    given = CaptionSettings(tower="bert", weights=str(tmp_path))
    with pytest.raises(RecipeError, match=r"has no config\.json"):
        caption_tower(given)
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 11, **SMALL}))
    with pytest.raises(RecipeError, match=r"no vocab\.txt beside"):
        caption_tower(given)
    (vocabulary(tmp_path) / "config.json").write_text(
        json.dumps({"vocab_size": 11, **SMALL, "num_hidden_layers": 3})
    )
    with pytest.raises(RecipeError, match=r"missing: .*encoder.layer.2"):
        caption_tower(given)


def published_clibd(barcode: str) -> list[int]:
    """The 5-mer tokens as the publication describes them, written down plainly."""
    words = [
        "<MASK>",
        "<CLS>",
        "<UNK>",
        *("".join(letters) for letters in product("ACGT", repeat=5)),
    ]
    number = {word: place for place, word in enumerate(words)}
    filled = (barcode + "N" * 660)[:660]
    return [0, *(number.get(filled[i : i + 5], 2) for i in range(0, 660, 5))]


def test_kmer_tokens_are_the_published_ones() -> None:
    tokens = KmerTokens(5, ("<MASK>", "<CLS>", "<UNK>"), 660, first=0)
    ids, mask = tokens.tokenise(BARCODES)
    assert tokens.vocabulary == 1027
    assert ids.shape == mask.shape == (5, 133)
    assert ids.tolist() == [published_clibd(barcode) for barcode in BARCODES]
    assert ids[0, 1] == 3 + 0 * 256 + 1 * 64 + 2 * 16 + 3 * 4 + 3  # ACGTT
    assert set(ids[2, 1:].tolist()) == {2}  # small letters are unknown, as published
    assert mask.sum(axis=1).tolist() == [1 + 633 // 5, 1 + 9, 1 + 30, 1 + 1, 133]


def test_the_second_version_has_4_mers_and_two_specials() -> None:
    tokens = tokens_for(258, max_bp=660, where="x")
    assert (tokens.k, tokens.specials, tokens.length) == (4, ("<MASK>", "<UNK>"), 165)
    ids, mask = tokens.tokenise(["AAAATTTTAC", "AAAN"])
    assert ids[:, :4].tolist() == [[2, 257, 1, 1], [1, 1, 1, 1]]
    assert mask.sum(axis=1).tolist() == [2, 1]
    assert tokens_for(1027, max_bp=660, where="x").k == 5
    with pytest.raises(RecipeError, match="300 ids are neither"):
        tokens_for(300, max_bp=660, where="x")


@pytest.mark.parametrize("where", ["config.json", "inside"])
def test_barcodebert_equals_the_published_evaluation(tmp_path: Path, where: str) -> None:
    config = BertConfig(vocab_size=258, num_labels=256, **SMALL)
    original = stirred(BertForTokenClassification(config))
    content: dict = {"model": original.state_dict(), "epoch": 35}
    if where == "inside":
        content["bert_config"] = {"vocab_size": 258, **SMALL}
    else:
        (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 258, **SMALL}))
    torch.save(content, tmp_path / "checkpoint.pt")
    settings = BarcodeSettings(
        tower="barcodebert", weights=str(tmp_path / "checkpoint.pt"), max_bp=660
    )
    tower = barcode_tower(settings, seed=0).eval()
    token_BT, mask_BT = tower.tokenise(BARCODES)
    with torch.no_grad():
        read = original(token_BT, mask_BT, output_hidden_states=True).hidden_states[-1]
        expected = (read * mask_BT.unsqueeze(2)).sum(1) / mask_BT.sum(1, keepdim=True)
        assert torch.allclose(tower(token_BT, mask_BT), expected, atol=1e-5)
    with pytest.raises(RecipeError, match=r"max_bp is 700; the weights of .* read 660 bases"):
        barcode_tower(settings.model_copy(update={"max_bp": 700}), seed=0)


def test_the_released_size_of_barcodebert_has_the_names_of_its_tower() -> None:
    from holotype.models.pretrained.barcodebert import BarcodeBertTower
    from holotype.models.pretrained.bert import _UNUSED, bert_names

    sizes = {"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 768}
    with torch.device("meta"):
        original = BertForTokenClassification(BertConfig(vocab_size=258, num_labels=256, **sizes))
        layout = json.dumps({"vocab_size": 258, "max_position_embeddings": 512, **sizes})
        tower = BarcodeBertTower(BarcodeSettings(tower="barcodebert", max_bp=660, layout=layout))
    published = {
        k: v.shape
        for k, v in bert_names(original.state_dict()).items()
        if not k.startswith(_UNUSED)
    }
    assert published == {k: v.shape for k, v in tower.model.state_dict().items()}


class LowRank(nn.Module):
    """A projection with CLIBD's change beside it: ``w``, ``w_a``, ``w_b``."""

    def __init__(self, w: nn.Linear) -> None:
        super().__init__()
        self.w = w
        self.w_a = nn.Linear(w.in_features, 4, bias=False)
        self.w_b = nn.Linear(4, w.out_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w(x) + self.w_b(self.w_a(x))


class LowRankQkv(nn.Module):
    """A joint projection with CLIBD's changes beside it."""

    def __init__(self, qkv: nn.Linear) -> None:
        super().__init__()
        width = qkv.in_features
        self.qkv = qkv
        for letter in "qv":
            setattr(self, f"linear_a_{letter}", nn.Linear(width, 4, bias=False))
            setattr(self, f"linear_b_{letter}", nn.Linear(4, width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        query = self.linear_b_q(self.linear_a_q(x))
        value = self.linear_b_v(self.linear_a_v(x))
        return self.qkv(x) + torch.cat([query, torch.zeros_like(query), value], dim=-1)


class PublishedClibd(nn.Module):
    """The three towers as the released checkpoints hold them, small."""

    def __init__(self, *, released: bool, changed: bool) -> None:
        super().__init__()
        names = ("lora_vit", "lora_barcode_bert", "lora_bert") if released else (
            "base_image_encoder", "base_dna_encoder", "base_language_encoder")  # fmt: skip
        image = timm.create_model("vit_tiny_patch16_224", num_classes=24)
        barcode = BertForMaskedLM(BertConfig(vocab_size=1027, **SMALL, tie_word_embeddings=False))
        barcode.cls.predictions.decoder = nn.Linear(64, 24)
        text = BertModel(BertConfig(vocab_size=len(PIECES), **SMALL))
        if changed:
            for block in image.blocks:
                block.attn.qkv = LowRankQkv(block.attn.qkv)
            for bert in (barcode.bert, text):
                for layer in bert.encoder.layer:
                    layer.attention.self.query = LowRank(layer.attention.self.query)
                    layer.attention.self.value = LowRank(layer.attention.self.value)
        self.image_encoder = nn.ModuleDict({names[0]: image})
        self.dna_encoder = nn.ModuleDict({names[1]: barcode})
        self.language_encoder = nn.ModuleDict({names[2]: text, "proj": nn.Linear(64, 24)})
        self.logit_scale = nn.Parameter(torch.tensor(3.3))
        self.parts = (image, barcode, text)

    def images(self, image_BCHW: Tensor) -> Tensor:
        return functional.normalize(self.parts[0](image_BCHW), dim=-1)

    def barcodes(self, ids: list[list[int]]) -> Tensor:
        logits = self.parts[1](torch.tensor(ids)).logits
        return functional.normalize(logits.softmax(dim=-1).mean(dim=1), dim=-1)

    def texts(self, tokens: dict[str, Tensor]) -> Tensor:
        read = self.parts[2](**tokens).last_hidden_state.mean(dim=1)
        return functional.normalize(self.language_encoder["proj"](read), dim=-1)


@pytest.mark.parametrize(
    ("released", "changed"),
    [(True, True), (False, False)],
    ids=["released names with LoRA", "names of today without"],
)
def test_clibd_equals_the_publication(tmp_path: Path, released: bool, changed: bool) -> None:
    torch.manual_seed(0)
    original = stirred(PublishedClibd(released=released, changed=changed))
    path = tmp_path / "best.pth"
    torch.save({k: v for k, v in original.state_dict().items() if not k.startswith("parts.")}, path)
    vocabulary(tmp_path / "words")
    settings = checked(
        ModelSettings,
        {
            "images": {
                "tower": "clibd", "weights": str(path), "architecture": "vit_tiny_patch16_224",
                "side_px": 256, "channels": 3, "preparation": "centre_crop", "mean": 0.0, "std": 1.0,
            },
            "barcodes": {"tower": "clibd", "weights": str(path), "max_bp": 660},
            "captions": {
                "tower": "clibd", "weights": str(path), "vocabulary": str(tmp_path / "words"),
            },
            "embedding_dim": 24,
            "projection": "none",
        },
        where="x.toml",
    )  # fmt: skip
    model = AlignedModel(settings, num_labels=2).eval()
    assert model.log_scale.item() == pytest.approx(original.logit_scale.item())
    square = torch.rand(2, 3, 256, 256)
    batch = Batch(np.arange(2), ImageBatch(square, torch.ones(2, 4), torch.arange(2)))
    folder = vocabulary(tmp_path / "words")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    theirs = AutoTokenizer.from_pretrained(folder)(
        TEXTS, padding="max_length", truncation=True, max_length=20, return_tensors="pt"
    )
    with torch.no_grad():
        found = {
            "image": model(batch)[Modality.IMAGE],
            "barcode": model.towers["barcode"](*model.tokenise(Modality.BARCODE)(BARCODES)),
            "caption": model.towers["caption"](*model.tokenise(Modality.CAPTION)(TEXTS)),
        }
        expected = {
            "image": original.images(square[:, :, 16:240, 16:240]),
            "barcode": original.barcodes([published_clibd(barcode) for barcode in BARCODES]),
            "caption": original.texts(dict(theirs)),
        }
    for name, z_BD in expected.items():
        assert torch.allclose(functional.normalize(found[name], dim=-1), z_BD, atol=1e-5), name
    if changed:
        once_more = AlignedModel(
            model.settings, num_labels=2
        )  # as a bundle opens it: no files read
        path.unlink()
        once_more.load_state_dict(model.state_dict())


def test_a_checkpoint_without_a_tower_says_so(tmp_path: Path) -> None:
    torch.save({"image_encoder.lora_vit.head.bias": torch.ones(3)}, tmp_path / "best.pth")
    with pytest.raises(RecipeError, match="has no such tower"):
        barcode_tower(
            BarcodeSettings(tower="clibd", weights=str(tmp_path / "best.pth"), max_bp=660), seed=0
        )
