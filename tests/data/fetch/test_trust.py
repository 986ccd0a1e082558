"""What is not what it should be is set aside; people may accept it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from tests.data.fetch.archives import images, noise, source, zipped
from tests.data.fetch.flows import kept, run, tree
from tests.data.fetch.server import Server


def test_a_wrong_digest_is_set_aside_and_can_be_accepted(server: Server, root: Path) -> None:
    data = zipped(images())
    served = server.serve("photos.zip", data)
    toy = source(server.url("photos.zip"), md5="0" * 32, size=len(data))
    message = rf"photos\.zip has MD5 \w{{32}}, but the published one is 0{{32}}; .* kept as {root}"
    with pytest.raises(UserError, match=message):
        run(toy, root)
    assert kept(root) == {"lock", "photos.zip.refused"}
    assert tree(root) == {}
    with pytest.raises(UserError, match="--accept takes it"):
        run(toy, root)
    assert len(served.asked) == 2, "it is downloaded anew: the damage may have been on the way"
    fresh, said = run(toy, root, accept=True)
    assert fresh == [True]
    assert "trusted from now on, SHA-256" in said[0]
    assert len(served.asked) == 2, "what was set aside is taken"
    assert tree(root) == images()
    assert run(toy, root.parent / "other")[0] == [True], "and trusted ever after"


def test_first_sight_is_trusted_and_another_archive_later_is_not(
    server: Server, root: Path
) -> None:
    server.serve("photos.zip", zipped(images()))
    toy = source(server.url("photos.zip"))
    _, said = run(toy, root)
    assert "trusted from now on" in said[0] + said[1]
    server.serve("photos.zip", zipped(images(4)), etag='"one"')
    with pytest.raises(UserError, match=r"offers \d+ bytes, but the file is known to have"):
        run(toy, root.parent / "other")
    fresh, _ = run(toy, root.parent / "other", accept=True)
    assert fresh == [True]
    assert len(tree(root.parent / "other")) == 4


def test_other_bytes_of_the_same_length_are_refused(server: Server, root: Path) -> None:
    files = images()
    toy = source(server.url("photos.zip"))
    server.serve("photos.zip", zipped(files, 0))
    run(toy, root)
    server.serve("photos.zip", zipped(files | {"photos/000.jpg": noise(3000, 9)}, 0))
    with pytest.raises(UserError, match=r"SHA256 \w{64}, but the one trusted on 20"):
        run(toy, root.parent / "other")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(images() | {"../x.jpg": b"x"}), "leads out of the archive"),
        (zipped(images())[:-100], "is damaged"),
        (b"no archive at all" * 100, "is no zip or tar archive"),
        (zipped({"photos/a.txt": b"x"}), "is another archive"),
    ],
)
def test_what_cannot_be_unpacked_is_set_aside_and_not_trusted(
    server: Server, root: Path, data: bytes, message: str
) -> None:
    server.serve("photos.zip", data)
    toy = source(server.url("photos.zip"))
    with pytest.raises(UserError, match=f"^photos: .*{message}.*Run again to download it anew"):
        run(toy, root)
    assert tree(root) == {}
    assert kept(root) == {"lock", "photos.zip.refused"}
    assert not (root.parent / "config/digests.json").exists()
    server.serve("photos.zip", zipped(images()))
    assert run(toy, root)[0] == [True], "nothing stands in the way of the right one"
