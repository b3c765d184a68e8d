"""Python `websocket-client`, which blocks: echo, ping, close."""

import os

import checks
import websocket
from checks import check, same, web_socket_url


def client(path="/echo"):
    return websocket.create_connection(web_socket_url(path), timeout=10, http_no_proxy=["127.0.0.1"])


@check("text and binary come back")
def echo():
    socket = client()
    for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
        socket.send("x" * size)
        same(socket.recv(), "x" * size, "the echo")
        data = os.urandom(size)
        socket.send_binary(data)
        opcode, answer = socket.recv_data()
        same(opcode, websocket.ABNF.OPCODE_BINARY, "the opcode")
        assert answer == data, f"the echo of {size} bytes differs"
    socket.close()


@check("a message in three frames comes back in one")
def fragments():
    socket = client()
    for payload, opcode, fin in (("one ", websocket.ABNF.OPCODE_TEXT, 0), ("two ", websocket.ABNF.OPCODE_CONT, 0), ("three", websocket.ABNF.OPCODE_CONT, 1)):
        socket.send_frame(websocket.ABNF.create_frame(payload, opcode, fin))
    same(socket.recv(), "one two three", "the echo")
    socket.close()


@check("a ping is answered with its payload, between two fragments, too")
def ping():
    socket = client()
    socket.ping("payload")
    opcode, data = socket.recv_data(control_frame=True)
    same((opcode, bytes(data)), (websocket.ABNF.OPCODE_PONG, b"payload"), "the answer")
    socket.send_frame(websocket.ABNF.create_frame("a", websocket.ABNF.OPCODE_TEXT, 0))
    socket.ping("between")
    opcode, data = socket.recv_data(control_frame=True)
    same((opcode, bytes(data)), (websocket.ABNF.OPCODE_PONG, b"between"), "the answer in mid-message")
    socket.send_frame(websocket.ABNF.create_frame("b", websocket.ABNF.OPCODE_CONT, 1))
    same(socket.recv(), "ab", "the echo")
    socket.close()


@check("a pong that nobody asked for is ignored")
def pong():
    socket = client()
    socket.pong("nobody asked")
    socket.send("and on")
    same(socket.recv(), "and on", "the echo")
    socket.close()


@check("a close is answered with its code, then the connection ends")
def close():
    socket = client()
    socket.send_close(4321, b"done")
    opcode, data = socket.recv_data(control_frame=True)
    same(opcode, websocket.ABNF.OPCODE_CLOSE, "the opcode")
    same(int.from_bytes(data[:2], "big"), 4321, "the close code")
    same(socket.sock.recv(1), b"", "what comes behind the Close")
    socket.shutdown()


checks.run()
