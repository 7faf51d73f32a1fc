"""Files that nobody should be able to hurt us with, and a child that reads them and says what it took.

`python -m tests.adapters.policy.hostile_files` prints for each: name, CPU seconds, megabytes, sentence.
"""

import json
import resource
import time
from itertools import pairwise

from adapters.policy.file import parse
from domain.errors import BundleRefused

EQUALS = "{field: channel, equals: a}"
UNKNOWN = ",".join(f"actixn{each}" for each in range(30))
HEAD = "schema_version: 2\nname: x\ndefault: deny\n"


def rule(condition: str) -> str:
    """A policy of one rule; its condition stands in line 8."""
    return (
        f"{HEAD}rules:\n  - id: a\n    when:\n      actions: [reply]\n"
        f"      condition: {condition}\n    allow: true\n"
    )


def matches(pattern: str) -> str:
    return rule(f'{{field: channel, matches: "{pattern}"}}')


def laughs() -> str:
    names = "abcdefghij"
    lines = [f"a: &a [{','.join(['x'] * 9)}]"]
    lines += [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in pairwise(names)]
    return "\n".join(lines)


def group(word: str, *members: str) -> str:
    return f"{{{word}: [{', '.join(members)}]}}"


def many_rules(number: int, words: str) -> str:
    return f"{HEAD}rules:\n" + "".join(f"  - {{id: r{each}, {words}}}\n" for each in range(number))


# What is written, and what the refusal says.
FILES: dict[str, tuple[str, str]] = {
    "nothing": ("", "it is empty"),
    "only a comment": ("# policy\n", "it is empty"),
    "ten megabytes": (HEAD + "  - {id: r, allow: true}\n" * 400_000, "longer than 262144 characters"),
    "brackets": ("[" * 200_000, "line 1: it is nested too deeply"),
    "blocks": ("".join(" " * depth + "a:\n" for depth in range(500)), "line 40: it is nested too deeply"),
    "laughs": (laughs(), "too many values, perhaps by aliases of aliases"),
    "alias of itself": ("a: &a [*a]\n", "line 1: it is nested too deeply, perhaps by an alias of itself"),
    "merge key": (f"{HEAD}rules:\n  - &r {{id: a, allow: true}}\n  - {{<<: *r, id: b}}\n", "line 6: '<<'"),
    "python tag": (f"{HEAD}x: !!python/object/apply:os.system [id]\n", "is a tag; write the value"),
    "own tag": (f"{HEAD}description: !secret x\n", "line 4: '!secret' is a tag"),
    "word twice": (f"{HEAD}name: y\n", "line 4: 'name' is written twice"),
    "two documents": (f"{HEAD}---\n{HEAD}", "another document"),
    "null character": (f'{HEAD}description: "a\0b"\n', "line 4: U+0000"),
    "bidi": (f'{HEAD}description: "a\u202eb"\n', "line 4: U+202E (right-to-left override)"),
    "bidi in an escape": (f'{HEAD}description: "a\\u202eb"\n', "line 4: U+202E"),
    "zero width": (rule("{field: channel, equals: pu\u200bblic}"), "line 8: U+200B (zero width space)"),
    "line of another kind": (f"{HEAD}# safe\u2028default: approval_needed\n", "line 4: U+2028"),
    "not a number": (f"{HEAD}max_chain: .nan\n", "line 4: numbers are whole"),
    "endless number": (f"{HEAD}max_chain: .inf\n", "line 4: numbers are whole"),
    "number in hex": (f"{HEAD}max_chain: 0x3\n", "line 4: numbers are whole"),
    "long number": (f"{HEAD}max_chain: {'9' * 300}\n", "line 4: the number has more than 18 digits"),
    "number as an amount": (
        f"{HEAD}rules:\n  - id: a\n    threshold: {{allow_up_to: {{EUR: 50}}}}\n",
        'line 6, rules.0.threshold.allow_up_to.EUR: must look like "50.00", in quotes',
    ),
    "long word": (f"{HEAD}{'a' * 900}: 1\n", "is not a word this file knows"),
    "very long word": (f"{HEAD}? {'a' * 200_000}\n: 1\n", "is not a word this file knows"),
    "many wrong words": (HEAD + "".join(f"k{each}: 1\n" for each in range(20_000)), "; there is more"),
    "many rules": (many_rules(7000, "allow: true"), "line 5, rules: "),
    "many unknown actions": (
        many_rules(700, f"when: {{actions: [{UNKNOWN}]}}, allow: true"),
        "; there is more",
    ),
    "conditions that multiply": (
        rule(group("all", *[group("any", EQUALS, EQUALS)] * 30)),
        "rule 'a': its conditions grow too large",
    ),
    "wide condition": (
        rule(group("any", *[EQUALS] * 7000)),
        "rule 'a': its conditions grow too large",
    ),
    "repeated repetition": (matches("(a+)+b"), "line 8, rules.0.when.condition.matches: may have letters"),
    "repeated alternatives": (matches("(ab|a|b)*c"), "line 8, rules.0.when.condition.matches: could take"),
    "many optional letters": (matches("a?" * 60 + "a" * 60), "could take too long"),
    "many stars": (matches(".*" * 90 + "x"), "could take too long"),
    "many bounded repetitions": (matches("[a-z]{0,100}" * 16), "could take too long"),
    "large pattern": (matches("[a-z]{100}" * 9), "is too large once it is written out"),
    "large pattern of anything": (matches(".{60}"), "is too large once it is written out"),
    "backreference": (matches("(a)\\\\1"), "line 8, rules.0.when.condition.matches: may have letters"),
}  # fmt: skip


def main() -> None:
    """One line of JSON for each file."""
    for name, (text, _) in FILES.items():
        before, began = _peak_mb(), time.process_time()
        try:
            parse(text)
            said = None
        except BundleRefused as refused:
            said = str(refused)
        print(json.dumps([name, time.process_time() - began, _peak_mb() - before, said]))  # noqa: T201


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
