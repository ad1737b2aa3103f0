"""Tiny random pipelines of the transformers' real classes, with tokenizers that are made here: one builder a family."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    FluxPipeline,
    QwenImagePipeline,
    ZImagePipeline,
)
from PIL import Image
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

from lorarar.families.layer_table import layers_of_model
from lorarar.generation.denoisers.table import denoiser_of
from lorarar.lora.adapter import Adapter, Factors, part_of
from lorarar.lora.files import write_adapter
from lorarar.pictures.concepts import read_concepts
from lorarar.pictures.images import write_png
from lorarar.pocket.text_encoders import write_tokenizer

from .tiny_transformers import TINY

WORDS = ["<pad>", "<unk>", "user", "a", "dog", "cat", "sks", "in", "style", "red", "blue", "glowing", "house"]
CHAT = "{% for message in messages %}{{ message['role'] }} {{ message['content'] }}{% endfor %}"
SIDE = 16  # pixels a side of their pictures: latents of 8 x 8, 16 tokens
NATIVE = 8  # latents a side that stand for the 128 of true bases
TOKENS = r"<\|\w+\|>|\n|\w+|[^\w\s]"  # as many as true tokenizers make of what pipelines put before a prompt


def words_tokenizer():
    """A tokenizer of whole words, which can ask in a conversation."""
    model = WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = Split(Regex(TOKENS), "removed", invert=True)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>")
    made.chat_template = CHAT
    return made


def new_vae(**config):
    """FLUX.1's and Z-Image's autoencoder, of which two pixels a side are one latent."""
    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[8, 8],
        norm_num_groups=4,
        latent_channels=4,
        sample_size=SIDE,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        **config,
    )


def qwen3(width, layers=2):
    """The configuration of a text encoder of Qwen3's kind."""
    return Qwen3Config(
        vocab_size=len(WORDS),
        hidden_size=width,
        intermediate_size=12,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=4,
    )


def new_flux1(folder: Path):
    kind, config = TINY["flux1"]
    words = write_tokenizer(folder / "words")
    clip = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=10,
        intermediate_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=24,
        projection_dim=8,
        eos_token_id=words.eos_token_id,
    )
    t5 = T5Config(vocab_size=len(WORDS), d_model=12, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=new_vae(),
        text_encoder=CLIPTextModel(clip),
        tokenizer=words,
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=words_tokenizer(),
        transformer=kind(**{**config, "in_channels": 16}),
    )


def new_flux2(folder: Path):
    """Distilled; its text is the states of three of the text encoder's layers, of which the last is the 27th."""
    kind, config = TINY["flux2-klein"]
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=1,
        sample_size=SIDE,
    )
    vae.bn.running_mean.copy_(torch.randn(4))
    vae.bn.running_var.copy_(torch.rand(4) + 0.5)
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae,
        text_encoder=Qwen3ForCausalLM(qwen3(4, layers=27)),
        tokenizer=words_tokenizer(),
        transformer=kind(**config),
        is_distilled=True,
    )


def new_qwen_image(folder: Path):
    kind, config = TINY["qwen-image"]
    text = {
        "vocab_size": len(WORDS),
        "hidden_size": 12,
        "intermediate_size": 12,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_scaling": {"rope_type": "default", "mrope_section": [1, 1, 1]},
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0),
    }
    vision = {"depth": 1, "hidden_size": 8, "intermediate_size": 8, "num_heads": 2, "out_hidden_size": 12}
    reader = Qwen2_5_VLConfig(text_config=text, vision_config={**vision, "fullatt_block_indexes": [0]})
    return QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9),
        vae=AutoencoderKLQwenImage(
            base_dim=4,
            z_dim=4,
            dim_mult=[1, 1],
            num_res_blocks=1,
            temperal_downsample=[False],
            latents_mean=[0.5, -0.7, 0.9, 0.1],
            latents_std=[1.5, 2.3, 0.8, 1.1],
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(reader),
        tokenizer=words_tokenizer(),
        transformer=kind(**{**config, "in_channels": 16, "out_channels": 4}),
    )


def new_z_image(folder: Path):
    kind, config = TINY["z-image"]
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=6.0),
        vae=new_vae(),
        text_encoder=Qwen3Model(qwen3(10)),
        tokenizer=words_tokenizer(),
        transformer=kind(**{**config, "axes_lens": [128, 32, 32]}),
    )


BUILDERS = {"flux1": new_flux1, "flux2-klein": new_flux2, "qwen-image": new_qwen_image, "z-image": new_z_image}


def new_pipeline(name, folder: Path):
    """The tiny pipeline of a family; ``folder`` is for its tokenizer's files."""
    torch.manual_seed(0)
    pipeline = BUILDERS[name](folder)
    for model in pipeline.components.values():
        if isinstance(model, torch.nn.Module):
            model.eval()
            for weight in model.parameters():  # some classes leave weights as they come, or at zero
                torch.nn.init.normal_(weight, std=0.2) if weight.dim() > 1 else None
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def own_latents(pipeline, pixels):
    """What a pipeline has of pictures (N, 3, H, W): the autoencoder's latents, and these as the denoiser has them."""
    vae = pipeline.vae
    if isinstance(vae, AutoencoderKLFlux2):
        return vae.encode(pixels).latent_dist.mean, pipeline._encode_vae_image(pixels, None)
    if isinstance(vae, AutoencoderKLQwenImage):
        mean = vae.encode(pixels.unsqueeze(2)).latent_dist.mean
        shift, scale = (
            torch.tensor(one).view(1, -1, 1, 1) for one in (vae.config.latents_mean, vae.config.latents_std)
        )
        return mean, (mean[:, :, 0] - shift) / scale
    mean = vae.encode(pixels).latent_dist.mean
    return mean, (mean - vae.config.shift_factor) * vae.config.scaling_factor


def save_base(name, folder: Path):
    """A folder of the tiny pipeline, as ``--base`` takes it."""
    new_pipeline(name, folder).save_pretrained(folder / "base")
    return folder / "base"


def lora_for(pipeline, seed, rank=2, strength=0.5, parts=("query", "key", "value", "output", "feed-forward")):
    """A LoRA of the layers of these parts of a pipeline's transformer."""
    generator, layers = torch.Generator().manual_seed(seed), {}
    for layer, (rows, columns) in layers_of_model("transformer", denoiser_of(pipeline)).items():
        if part_of(layer) in parts:
            down = torch.randn(rank, columns, generator=generator) * strength
            layers[layer] = Factors(down, torch.randn(rows, rank, generator=generator) * strength)
    return Adapter(layers, f"lora{seed}", f"{seed:064d}")


def concepts(pipeline, folder, ranks=(2, 2)):
    """Two contents and two styles with a picture each, as they lie in folders."""
    for side, start in (("contents", 0), ("styles", 10)):
        for number, rank in enumerate(ranks):
            prompt = (
                f"a sks {('dog', 'cat')[number]}"
                if side == "contents"
                else f"a house in {('red', 'blue')[number]} style"
            )
            lora = lora_for(pipeline, start + number, rank, strength=0.3)
            write_adapter(lora, folder / side / f"c{number}.safetensors", {"prompt": prompt})
            write_png(Image.new("RGB", (SIDE, SIDE), (90 * number, 90, start)), folder / side / f"c{number}" / "1.png")
    return [read_concepts(folder / side) for side in ("contents", "styles")]
