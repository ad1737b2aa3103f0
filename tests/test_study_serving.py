"""A served study: who is let in, who is not, and that each is the rater of their token."""

import asyncio
import shlex
import stat
import sys
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError, web
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.rater.trials import is_mirrored
from studies.serving.guard import check_host, is_loopback, is_ours, origin_of
from studies.serving.server import StudyServer, StudyService, command_for, serve
from studies.serving.tokens import code_of, new_token, read_tokens, write_tokens
from studies.store import StudyStore

from .studies_database import make_database

# as a Textual app under textual-serve: says who it was started for, ends when it is told to
APP = """
import sys
out = sys.stdout.buffer
def send(data):
    out.write(b"D" + len(data).to_bytes(4, "big") + data)
    out.flush()
out.write(b"__GANGLION__\\n")
send(sys.argv[1].encode())
while kind := sys.stdin.buffer.read(1):
    data = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big"))
    if b'"quit"' in data:
        break
    if kind == b"D":
        send(b"got " + data)
"""


def app_for(code):
    return shlex.join([sys.executable, "-c", APP, code])


TOKENS = {new_token(): "ONE", new_token(): "TWO"}


@asynccontextmanager
async def served(tmp_path, most=8):
    """A server on a free port, and a client as a browser is one."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    server = StudyServer(
        StudyService(
            study="s", database=tmp_path / "a.db", tokens=TOKENS, origin=origin, host="127.0.0.1", port=port, most=most
        ),
        app_for,
    )
    runner = web.AppRunner(await server.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
            yield client, origin
    finally:
        await runner.cleanup()
        await asyncio.sleep(0.3)  # for processes that were told to quit to be gone


def run(test, *arguments, **options):
    async def inside():
        async with served(*arguments, **options) as (client, origin):
            await test(client, origin)

    asyncio.run(asyncio.wait_for(inside(), 30))


async def enter(client, origin, token):
    async with client.get(f"{origin}/", params={"token": token}) as response:
        return response.status, str(response.url), await response.text()


def test_a_rater_enters_by_link_and_votes_under_their_code(tmp_path):
    async def test(client, origin):
        for token, code in TOKENS.items():
            status, url, page = await enter(client, origin, token)
            assert (status, url) == (200, f"{origin}/")
            assert token not in page
            async with client.ws_connect(f"{origin}/ws", headers={"Origin": origin}) as socket:
                assert (await socket.receive(timeout=10)).data == code.encode()
                await socket.send_json(["stdin", "1"])
                assert (await socket.receive(timeout=10)).data == b"got 1"
        async with client.get(f"{origin}/static/js/textual.js") as response:
            assert response.status == 200

    run(test, tmp_path)


def test_nobody_enters_without_a_token(tmp_path):
    async def test(client, origin):
        async with client.get(f"{origin}/") as response:
            assert response.status == 403
        assert (await enter(client, origin, "x" * 32))[0] == 403
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{origin}/ws", headers={"Origin": origin})
        assert refused.value.status == 403

    run(test, tmp_path)


@pytest.mark.parametrize("foreign", ["http://evil.example", "null", None, "http://127.0.0.1", "https://127.0.0.1:8000"])
def test_a_foreign_origin_gets_403_even_with_the_cookie(tmp_path, foreign):
    async def test(client, origin):
        await enter(client, origin, next(iter(TOKENS)))
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{origin}/ws", headers={"Origin": foreign} if foreign else {})
        assert refused.value.status == 403

    run(test, tmp_path)


def test_a_foreign_host_other_paths_and_other_methods_are_refused(tmp_path):
    async def test(client, origin):
        await enter(client, origin, next(iter(TOKENS)))
        async with client.get(f"{origin}/", headers={"Host": "evil.example"}) as response:
            assert response.status == 403
        for path in ("/download/x", "/etc/passwd", "/static/../server.py", "/static/%2e%2e/server.py"):
            async with client.get(origin + path) as response:
                assert response.status == 404, path
        async with client.post(f"{origin}/") as response:
            assert response.status == 404

    run(test, tmp_path)


def test_pages_load_nothing_from_elsewhere_and_cookies_are_closed(tmp_path):
    async def test(client, origin):
        token = next(iter(TOKENS))
        async with client.get(f"{origin}/", params={"token": token}, allow_redirects=False) as response:
            cookie = response.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
        async with client.get(f"{origin}/") as response:
            assert response.headers["Referrer-Policy"] == "no-referrer"
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert f"connect-src {origin} {origin.replace('http', 'ws')};" in policy

    run(test, tmp_path)


def test_connections_are_capped_and_places_are_given_back(tmp_path):
    async def test(client, origin):
        await enter(client, origin, next(iter(TOKENS)))
        headers = {"Origin": origin}
        first = await client.ws_connect(f"{origin}/ws", headers=headers)
        await first.receive(timeout=10)
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"{origin}/ws", headers=headers)
        assert refused.value.status == 503
        await first.close()
        for _ in range(50):
            try:
                await (await client.ws_connect(f"{origin}/ws", headers=headers)).close()
                return
            except WSServerHandshakeError:
                await asyncio.sleep(0.1)
        pytest.fail("the place was not given back")

    run(test, tmp_path, most=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_is_served_without_asking(host):
    assert is_loopback(host)
    check_host(host, public=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "localhost.evil.example"])
def test_a_public_address_needs_a_flag(host):
    with pytest.raises(StudyError, match="--public"):
        check_host(host, public=False)
    check_host(host, public=True)


def test_origins_are_as_browsers_write_them():
    assert origin_of("HTTPS://Studies.Example.org:443/") == "https://studies.example.org"
    assert origin_of("http://[::1]:8000") == "http://[::1]:8000"
    for bad in ("ftp://x", "studies.example.org", "http://", "http://x/path", "http://x:99999", "javascript:1"):
        with pytest.raises(StudyError, match="accepted is an address"):
            origin_of(bad)
    ours = "http://127.0.0.1:8000"
    assert is_ours(ours, "127.0.0.1:8000", None, websocket=False)
    assert not is_ours(ours, None, None, websocket=False)
    assert not is_ours(ours, "127.0.0.1:8000", None, websocket=True)


def test_tokens_are_kept_for_their_owner_alone(tmp_path):
    path = tmp_path / "s.tokens"
    assert read_tokens(path) == {}
    write_tokens(path, TOKENS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_tokens(path) == TOKENS
    assert [code_of(token, TOKENS) for token in TOKENS] == ["ONE", "TWO"]
    assert code_of("", TOKENS) is None
    path.chmod(0o644)
    with pytest.raises(StudyError, match="chmod 600"):
        read_tokens(path)
    path.write_text("short ONE\n")
    path.chmod(0o600)
    with pytest.raises(StudyError, match="line 1"):
        read_tokens(path)


def test_the_command_quotes_what_it_is_given(tmp_path):
    served_study = StudyService(
        study="s", database=tmp_path / "a b;$(x).db", tokens={}, origin="http://127.0.0.1:1", host="127.0.0.1", port=1
    )
    words = shlex.split(command_for(served_study, "ABC"))
    assert words[-1] == str(tmp_path / "a b;$(x).db")
    assert words[3:8] == ["study", "run", "s", "--rater", "ABC"]


def test_serve_makes_links_once_and_refuses_what_is_public(tmp_path, monkeypatch):
    path = make_database(tmp_path)
    with Store(path) as store:
        study = new_study(store, StudyRequest("s", "ab", ("alpha", "beta"), "random"))
    monkeypatch.setenv("LORARAR_DB", str(path))
    started = []
    monkeypatch.setattr("studies.serving.server.serve", started.append)
    links = []
    for _ in range(2):
        done = CliRunner().invoke(app, ["study", "serve", "s", "--raters", "6"])
        assert done.exit_code == 0, done.output
        links.append(done.stdout)
    assert links[0] == links[1]
    assert links[0].count("http://127.0.0.1:8000/?token=") == 6
    codes = [line.split()[0] for line in links[0].splitlines()]
    assert Counter(is_mirrored(study.design, code) for code in codes) == {True: 3, False: 3}
    assert started[0].origin == "http://127.0.0.1:8000"
    with Store(path) as store:
        assert StudyStore(store).raters(study) == []
    done = CliRunner().invoke(app, ["study", "serve", "s", "--host", "0.0.0.0"])
    assert (done.exit_code, len(started)) == (1, 2)
    assert "--public" in done.stderr


def test_a_port_in_use_is_one_clear_line(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        served_study = StudyService(
            study="s", database=tmp_path, tokens=TOKENS, origin=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port
        )
        with pytest.raises(StudyError, match=f"cannot listen on 127.0.0.1, port {port}"):
            serve(served_study)
