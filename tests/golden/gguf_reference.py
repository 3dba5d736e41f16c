"""Reference models for the tests: reads a GGUF file, dequantises it with the `gguf` package, and builds the matching
`transformers` model, so that PyTorch's logits are those of the very weights that Hearth computes with.

Needs: pip install torch transformers gguf numpy
"""
import numpy as np
import torch
from gguf import GGUFReader, quants
from transformers import (Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM,
                          Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM)

NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm",
    "post_attention_norm": "post_attention_layernorm", "post_ffw_norm": "post_feedforward_layernorm", "ffn_gate_inp": "mlp.gate",
}


def unpermute(weight, heads):
    """GGUF `llama` stores query and key rows so that rotation pairs are neighbours; transformers wants halves."""
    shape = weight.shape
    return weight.reshape(heads, shape[0] // heads // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def build(meta, tensors):
    """meta: key -> value; tensors: GGUF name -> float32 array. Returns the transformers model in evaluation mode."""
    arch = meta["general.architecture"]
    get = lambda key, default=None: meta.get(f"{arch}.{key}", default)
    heads = get("attention.head_count")
    kv_heads = get("attention.head_count_kv", heads)
    head_dim = get("attention.key_length", get("embedding_length") // heads)
    common = dict(
        vocab_size=tensors["token_embd.weight"].shape[0], hidden_size=get("embedding_length"), intermediate_size=get("feed_forward_length"),
        num_hidden_layers=get("block_count"), num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim,
        max_position_embeddings=get("context_length"), rms_norm_eps=get("attention.layer_norm_rms_epsilon"),
        tie_word_embeddings="output.weight" not in tensors, attn_implementation="eager")
    base = get("rope.freq_base", 10000.0)
    gemma = arch == "gemma3"
    if arch == "llama":
        common["attention_bias"] = "blk.0.attn_q.bias" in tensors
        config = LlamaConfig(rope_theta=base, **common)
        model = LlamaForCausalLM(config)
    elif arch == "qwen2":
        config = Qwen2Config(rope_theta=base, **common)
        model = Qwen2ForCausalLM(config)
    elif arch == "qwen3":
        config = Qwen3Config(rope_theta=base, **common)
        model = Qwen3ForCausalLM(config)
    elif arch == "qwen3moe":
        dense = [i for i in range(common["num_hidden_layers"]) if f"blk.{i}.ffn_gate_inp.weight" not in tensors]
        config = Qwen3MoeConfig(
            rope_theta=base, num_experts=get("expert_count"), num_experts_per_tok=get("expert_used_count"), mlp_only_layers=dense,
            moe_intermediate_size=get("expert_feed_forward_length"), norm_topk_prob=get("expert_weights_norm", True),
            experts_implementation="eager", **common)
        model = Qwen3MoeForCausalLM(config)
    elif gemma:
        period = get("attention.sliding_window_pattern", 6)
        types = ["full_attention" if (i + 1) % period == 0 else "sliding_attention" for i in range(common["num_hidden_layers"])]
        config = Gemma3TextConfig(
            query_pre_attn_scalar=head_dim, sliding_window=get("attention.sliding_window"), layer_types=types,
            rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": base},
                             "sliding_attention": {"rope_type": "default", "rope_theta": get("rope.freq_base_swa", 10000.0)}}, **common)
        model = Gemma3ForCausalLM(config)
    else:
        raise SystemExit(f"no reference for {arch}")

    state = {}
    tensors = dict(tensors)
    for name in [name for name in tensors if name.endswith("ffn_gate_exps.weight")]:  # transformers keeps gate and up in one
        prefix = f"model.layers.{name.split('.')[1]}.mlp.experts."
        both = np.concatenate([tensors.pop(name), tensors.pop(name.replace("gate_exps", "up_exps"))], axis=1)
        state[prefix + "gate_up_proj"] = torch.from_numpy(np.ascontiguousarray(both, dtype=np.float32))
        down = tensors.pop(name.replace("gate_exps", "down_exps"))
        state[prefix + "down_proj"] = torch.from_numpy(np.ascontiguousarray(down, dtype=np.float32))
    for name, value in tensors.items():
        value = torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32))
        if name == "rope_freqs.weight":
            model.model.rotary_emb.inv_freq /= value
            continue
        if gemma and name.endswith("norm.weight"):
            value = value - 1.0  # the converter added one
        if name == "token_embd.weight":
            state["model.embed_tokens.weight"] = value
            if config.tie_word_embeddings:
                state["lm_head.weight"] = value
        elif name == "output.weight":
            state["lm_head.weight"] = value
        elif name == "output_norm.weight":
            state["model.norm.weight"] = value
        else:
            _, layer, part, kind = name.split(".")
            target = NAMES[part]
            if gemma and part == "ffn_norm":
                target = "pre_feedforward_layernorm"
            if arch == "llama" and part in ("attn_q", "attn_k"):
                value = unpermute(value, heads if part == "attn_q" else kv_heads)
            state[f"model.layers.{layer}.{target}.{kind}"] = value
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected, unexpected
    assert not missing, missing
    return model.eval()


def load_gguf(path):
    reader = GGUFReader(path)
    meta = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("tokenizer.")}
    tensors = {}
    for tensor in reader.tensors:
        shape = [int(d) for d in reversed(tensor.shape)]
        tensors[tensor.name] = quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape).astype(np.float32)
    return build(meta, tensors)


def logits(model, tokens):
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0].float().numpy()
