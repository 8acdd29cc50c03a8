"""The site's line to the server: a relay that everything of its devices crosses, and that can be cut.

The server listens on 127.0.0.1 and tells its devices to come to 127.0.0.2. There this relay takes the same ports:
pairing, renewal, broker. Cut, it hangs up on everybody and takes nobody; a device that starts anew finds it cut too.
"""

import contextlib
import json
import pathlib
import socket
import struct
import threading

SERVER_SIDE, DEVICE_SIDE = "127.0.0.1", "127.0.0.2"
HANG_UP = struct.pack("ii", 1, 0)  # SO_LINGER: a reset, and no port that waits


class Line:
    """`folder` gets a control.sock: cut, restore, status. Threads are daemons; close() ends the traffic."""

    def __init__(self, folder, ports):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.lock = threading.Lock()
        self.is_cut, self.closed = False, False
        self.pairs = set()
        self.bytes_crossed, self.turned_away = 0, 0
        self.listeners = []
        for port in ports:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((DEVICE_SIDE, port))
            self._serve(listener, self._take, port)
        control = socket.socket(socket.AF_UNIX)
        control.bind(str(self.folder / "control.sock"))
        self._serve(control, self._obey)

    def cut(self):
        with self.lock:
            self.is_cut = True
        self._hang_up()

    def restore(self):
        with self.lock:
            self.is_cut = False

    def status(self):
        with self.lock:
            return {"cut": self.is_cut, "connections": len(self.pairs), "bytes_crossed": self.bytes_crossed,
                    "turned_away": self.turned_away}

    def close(self):
        self.closed = True
        self.cut()
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() alone does not
            listener.close()

    # --- threads ---
    def _serve(self, listener, handle, *arguments):
        listener.listen(64)
        self.listeners.append(listener)

        def accept():
            while not self.closed:
                try:
                    wire, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(wire, *arguments), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()

    def _take(self, device, port):
        with self.lock:
            if self.is_cut:
                self.turned_away += 1
                return self._reset(device)
        try:
            server = socket.create_connection((SERVER_SIDE, port), 5)
        except OSError:  # the server is not up: as if nobody listened here either
            return self._reset(device)
        server.settimeout(None)
        with self.lock:
            self.pairs.add((device, server))
            late = self.is_cut
        if late:
            return self._hang_up()
        back = threading.Thread(target=self._carry, args=(server, device), daemon=True)
        back.start()
        self._carry(device, server)
        back.join()
        with self.lock:
            self.pairs.discard((device, server))
        device.close()
        server.close()
        return None

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                with self.lock:
                    if self.is_cut:
                        return
                    self.bytes_crossed += len(piece)
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _hang_up(self):
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for wire in pair:
                with contextlib.suppress(OSError):
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANG_UP)
                    wire.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _reset(wire):
        with contextlib.suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANG_UP)
        wire.close()

    def _obey(self, wire):
        with wire, contextlib.suppress(OSError):
            for line in wire.makefile():
                word = line.strip()
                if word in ("cut", "restore"):
                    getattr(self, word)()
                reply = self.status() if word in ("cut", "restore", "status") else \
                    {"help": "cut | restore | status"}
                wire.sendall(json.dumps(reply).encode() + b"\n")
