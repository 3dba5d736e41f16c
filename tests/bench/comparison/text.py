"""Ordinary English for prompts, made from a seed: the same everywhere, and different for each client and round, so that no
cache of an earlier round helps."""
import random

_PLACES = """harbour village station library valley workshop garden museum market bridge kitchen school theatre lighthouse forest
factory orchard monastery laboratory tunnel meadow office cellar mill castle hospital airport canal quarry bakery""".split()
_PEOPLE = """captain teacher baker nurse engineer farmer painter clerk doctor gardener miller sailor librarian carpenter student
judge pilot tailor shepherd chemist musician printer postman architect weaver mason fisherman historian guard cook""".split()
_THINGS = """letter map clock engine basket ladder lamp notebook compass barrel violin telescope wheel rope kettle bicycle painting
coin blanket hammer mirror suitcase radio bottle window machine table boat drawing parcel""".split()
_ADJECTIVES = """old quiet narrow bright heavy careful distant broken early patient wooden curious empty famous gentle hidden large
modern northern ordinary pale rapid silver tired unusual wet young plain steep forgotten""".split()
_VERBS = """found repaired carried described measured painted sold watched borrowed cleaned moved opened counted drew lost
remembered counted packed weighed lifted examined hid returned wrapped built washed inherited bought mended kept""".split()
_TIMES = """before dawn|in the afternoon|after the storm|during the long winter|on the first day of spring|shortly before midnight|
while it rained|every second Sunday|a few weeks later|in the year of the flood|at the end of the summer|without any delay""".replace("\n", "").split("|")
_FORMS = (
    "{Time}, the {a} {p} {v} a {b} {t} near the {l}.",
    "The {p} of the {l} {v} the {a} {t}, and nobody asked why.",
    "Because the {l} was {a}, the {p} {v} every {t} that was still there.",
    "Number {n} on the list was a {a} {t}, which the {p} {v} {time}.",
    "People in the {l} said that the {b} {p} never {v} a {t}.",
    "It took {n} days until the {p} {v} the {t} and came back to the {a} {l}.",
    "There were {n} reasons to visit the {l}, but the {a} {t} was the best of them.",
    "\"A {t} is only a {t},\" said the {p}, \"even when it was {v} {time}.\"",
)
_TASKS = (
    "Write a long and detailed story about the {p} who {v} the {a} {t}.",
    "Explain step by step, in many sentences, how a {p} would look after a {a} {t}.",
    "Describe the {a} {l} as it was {time}, with as many details as you can.",
    "Discuss at length what the {p} should do with the {t}, and give reasons.",
)


def _fill(form, rng):
    time = rng.choice(_TIMES)
    return form.format(a=rng.choice(_ADJECTIVES), b=rng.choice(_ADJECTIVES), p=rng.choice(_PEOPLE), t=rng.choice(_THINGS),
                       l=rng.choice(_PLACES), v=rng.choice(_VERBS), n=rng.randint(2, 999), time=time, Time=time.capitalize())


def passage(seed, words):
    """Sentences with at least `words` words in all, cut to exactly that many; the same for the same seed."""
    rng = random.Random(f"passage {seed}")
    found = []
    while len(found) < words:
        found += _fill(rng.choice(_FORMS), rng).split()
    return " ".join(found[:words])


def task(seed):
    """A request that invites a long reply."""
    rng = random.Random(f"task {seed}")
    return _fill(rng.choice(_TASKS), rng)


def mixed_lengths(count, shortest, longest, seed):
    """`count` lengths spread evenly on a logarithmic scale, both ends among them, in an order of the seed's choosing."""
    if count < 1 or not 0 < shortest <= longest:
        raise ValueError(f"no lengths: {count} from {shortest} to {longest}")
    if count == 1:
        return [round((shortest * longest) ** 0.5)]
    lengths = [round(shortest * (longest / shortest) ** (i / (count - 1))) for i in range(count)]
    random.Random(f"lengths {seed}").shuffle(lengths)
    return lengths
