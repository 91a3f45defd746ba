import pytest
from tests import cast as stages
pytestmark = pytest.mark.django_db
@pytest.mark.parametrize("stage", ["reported","owned","answered","fixed","verified","told","made_good"])
def test_page(cast, client, stage):
    case = getattr(stages, stage)(cast)
    client.force_login(cast.minji)
    r = client.get(f"/cases/{case.number}/")
    assert r.status_code == 200
    open(f"/tmp/sheet/{stage}.html","w").write(r.content.decode())
