"""A GGUF header small enough to count by hand, for the tests."""
import struct


def write_tiny_gguf(path):
    """Vocabulary 100, width 64: an embedding in Q8_0 that is the head too, one matrix in Q4_0, one norm in F32."""
    def string(value):
        return struct.pack("<Q", len(value)) + value.encode()

    values = [string("general.architecture") + struct.pack("<I", 8) + string("llama"),
              string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + string("a") + string("b"),
              string("tokenizer.ggml.eos_token_id") + struct.pack("<II", 4, 2)]
    tensors = [("token_embd.weight", (64, 100), 8), ("blk.0.attn_q.weight", (64, 64), 2), ("blk.0.attn_norm.weight", (64,), 0)]
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + b"".join(values))
        for name, shape, kind in tensors:
            file.write(string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, 0))
