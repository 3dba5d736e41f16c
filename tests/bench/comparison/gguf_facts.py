"""The few facts of a GGUF file that the roofs need: multiply-adds and weight bytes of one token."""
import dataclasses
import struct

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# Elements and bytes of a block, by ggml type number.
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84), 11: (256, 110),
           12: (256, 144), 13: (256, 176), 14: (256, 210), 30: (1, 2)}
_EXPERTS = ("ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight")


@dataclasses.dataclass
class Facts:
    name: str
    prefill_macs: int  # of one prompt token in the matrices; the head's are not needed for it
    decode_macs: int  # of one generated token
    decode_bytes: int  # of weights that one generated token reads
    end_tokens: list


class _Reader:
    def __init__(self, file):
        self._file = file

    def take(self, form):
        size = struct.calcsize("<" + form)
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("the file ends inside its header")
        return struct.unpack("<" + form, data)[0]

    def text(self):
        length = self.take("Q")
        if length > 1 << 24:
            raise ValueError(f"a text of {length} bytes")
        return self._file.read(length).decode("utf-8", "replace")

    def value(self, kind):
        """The value; None for an array, which is read over."""
        if kind in _SCALARS:
            return self.take(_SCALARS[kind])
        if kind == 8:
            return self.text()
        if kind != 9:
            raise ValueError(f"unknown value type {kind}")
        element, count = self.take("I"), self.take("Q")
        if element in _SCALARS:
            self._file.seek(struct.calcsize("<" + _SCALARS[element]) * count, 1)
        else:
            for _ in range(count):
                self.value(element)
        return None


def read_facts(path):
    """Raises ValueError when this is no GGUF file that it understands, OSError when it cannot be read."""
    with open(path, "rb") as file:
        reader = _Reader(file)
        if file.read(4) != b"GGUF":
            raise ValueError(f"{path}: not a GGUF file")
        version, tensor_count, value_count = reader.take("I"), reader.take("Q"), reader.take("Q")
        if version not in (2, 3):
            raise ValueError(f"{path}: GGUF version {version}")
        values = {}
        for _ in range(value_count):
            key = reader.text()
            values[key] = reader.value(reader.take("I"))
        tensors = {}
        for _ in range(tensor_count):
            name = reader.text()
            shape = [reader.take("Q") for _ in range(reader.take("I"))]
            tensors[name] = (shape, reader.take("I"))
            reader.take("Q")
    return _count(values, tensors)


def _count(values, tensors):
    architecture = values.get("general.architecture", "")
    experts, used = values.get(f"{architecture}.expert_count") or 0, values.get(f"{architecture}.expert_used_count") or 0
    macs = head = size = 0
    head_name = "output.weight" if "output.weight" in tensors else "token_embd.weight"
    for name, (shape, kind) in tensors.items():
        elements = 1
        for length in shape:
            elements *= length
        if kind not in _BLOCKS:
            raise ValueError(f"{name}: unknown tensor type {kind}")
        per_block, block_bytes = _BLOCKS[kind]
        share = used / experts if experts and name.endswith(_EXPERTS) else 1
        if name == head_name:
            head = elements
        elif name == "token_embd.weight":
            continue  # one row of it
        elif len(shape) >= 2:
            macs += int(elements * share)
        size += int(elements // per_block * block_bytes * share)
    ends = [values[key] for key in ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id") if key in values]
    return Facts(name=values.get("general.name") or architecture, prefill_macs=macs, decode_macs=macs + head, decode_bytes=size,
                 end_tokens=sorted(set(ends)))
