import pytest

from nodule.phantom import Phantom, make_phantom, random_spec


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """Return a whole synthetic chest on a canonical 2.5 mm grid, its lungs known."""
    return make_phantom(random_spec(11, size="small", n_nodules=2))
