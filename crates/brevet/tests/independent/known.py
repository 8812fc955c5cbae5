#!/usr/bin/env python3
"""Holds the formats against the known answers, as the last chapter of docs/ledger-format.md describes them.

    known.py crates/brevet-ledger/vectors/v1.txt
"""

import sys
from collections import namedtuple

from formats import Entry, Key, Malformed, Note, Policy, Receipt, Tree, commitment, is_consistent, leaf_hash
from formats import root_of_path, stored_nodes, unbase64

Answers = namedtuple("Answers", "values seen")


def answers(path):
    """Name and place of each value."""
    values, last = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("|"):
                values[last] = values[last].removeprefix("follows") + line[1:] + "\n"
            elif line and not line.startswith("#"):
                name, place, value = line.split(" ", 2)
                last = (name, tuple(int(part) for part in place.split(".")))
                assert last not in values, f"{last} is there twice"
                values[last] = value
    return Answers(values, set())


def all_of(known, name):
    """Every value of this name, in the order of their places."""
    found = sorted((place, value) for (other, place), value in known.values.items() if other == name)
    assert found, f"no {name}"
    known.seen.add(name)
    return found


def one_of(known, name):
    ((place, value),) = all_of(known, name)
    return place, value


def entries(known):
    """Entries with their leaf hashes and texts; answers the leaves."""
    leaves = [bytes.fromhex(value) for _, value in all_of(known, "leaf")]
    salts, texts = dict(all_of(known, "salt")), dict(all_of(known, "text"))
    assert set(salts) == set(texts)
    for (index,), value in all_of(known, "entry"):
        entry = Entry(bytes.fromhex(value))
        assert entry.index == index and leaf_hash(entry.raw) == leaves[index]
        slots = [slot for of, slot in texts if of == index]
        assert slots == list(range(len(entry.commitments)))
        for slot in slots:
            salt = bytes.fromhex(salts[index, slot])
            assert commitment(salt, texts[index, slot].encode()) == entry.commitments[slot]
    return leaves


def tree(known, leaves):
    """Roots, edge and stored nodes."""
    roots = {size: bytes.fromhex(value) for (size,), value in all_of(known, "root")}
    assert sorted(roots) == list(range(len(leaves) + 1))
    for size, root in roots.items():
        assert Tree(leaves[:size]).root() == root
    (size,), edge = one_of(known, "edge")
    assert Tree(leaves[:size]).edge().hex() == edge
    (large,), root = one_of(known, "large-root")
    many = [leaf_hash(index.to_bytes(8, "big")) for index in range(large)]
    nodes = {place: bytes.fromhex(value) for place, value in all_of(known, "large-node")}
    assert stored_nodes(many) == nodes and Tree(many).root().hex() == root
    return roots


def proofs(known, leaves, roots):
    """One proof of each kind, and that it proves nothing else."""
    found = all_of(known, "inclusion")
    (index, size, _), path = found[0][0], [bytes.fromhex(value) for _, value in found]
    assert root_of_path(leaves[index], index, size, path) == roots[size]
    assert root_of_path(leaves[index], index - 1, size, path) != roots[size]
    assert fails(lambda: root_of_path(leaves[index], index, size, path[:-1]))
    assert fails(lambda: root_of_path(leaves[index], index, size, [*path, path[0]]))
    found = all_of(known, "consistency")
    (old, new, _), path = found[0][0], [bytes.fromhex(value) for _, value in found]
    assert is_consistent(old, new, roots[old], roots[new], path)
    assert not is_consistent(old, new, roots[old - 1], roots[new], path)
    assert not is_consistent(old, new, roots[old], roots[new], path[:-1])
    assert not is_consistent(old, new, roots[old], roots[new], [*path, path[0]])


def notes(known, leaves, roots):
    """The checkpoint, its receipt, its cosignature and a policy."""
    key, witness = Key.parse(one_of(known, "verifier-key")[1]), Key.parse(one_of(known, "witness-key")[1])
    for name, signer, byte in (("signing-key", key, 7), ("cosigning-key", witness, 8)):
        parts = one_of(known, name)[1].split("+", 4)
        assert parts[:4] == ["PRIVATE", "KEY", signer.name, signer.id.hex()]
        assert unbase64(parts[4]) == bytes([signer.type]) + bytes([byte]) * 32
    (size,), text = one_of(known, "checkpoint")
    note = Note(text)
    assert (note.size, note.root, note.origin) == (size, roots[size], key.name)
    assert note.signers([key, witness]) == [(key, None)] and note.signers([witness]) == []
    assert fails(lambda: Note(text.replace("\n20\n", "\n19\n")).signers([key]))
    (index,), text = one_of(known, "tlog-proof")
    receipt = Receipt(text)
    assert receipt.index == index and receipt.leads_from(leaves[index]) and not receipt.leads_from(leaves[0])
    (size,), text = one_of(known, "cosigned")
    cosigned = Note(text)
    assert cosigned.signers([witness]) == [(witness, 1767225660)]
    policy = Policy(one_of(known, "policy")[1])
    assert policy.is_met_by(cosigned) and not policy.is_met_by(note)
    asked(known, note, roots)


def asked(known, note, roots):
    """What the witness is sent."""
    (old,), text = one_of(known, "add-checkpoint")
    head, _, rest = text.partition("\n\n")
    stated, *path = head.split("\n")
    assert stated == f"old {old}" and rest == note.text
    assert is_consistent(old, note.size, roots[old], note.root, [unbase64(line, 32) for line in path])


def fails(act):
    try:
        act()
    except Malformed:
        return True
    return False


def main():
    known = answers(sys.argv[1])
    leaves = entries(known)
    roots = tree(known, leaves)
    proofs(known, leaves, roots)
    notes(known, leaves, roots)
    names = {name for name, _ in known.values}
    assert known.seen == names, f"not looked at: {names - known.seen}"
    print(f"{len(known.values)} known answers hold")


if __name__ == "__main__":
    main()
